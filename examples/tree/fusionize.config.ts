import { rateEnv } from '@fusionize/example-kit'
import { defineConfig } from 'fusionize'
import { defaultScale } from './lib/sizes'

const { TREE_SCALE = String(defaultScale), TREE_STORE } = process.env

export default defineConfig({
  app: 'tree',
  tasks: ['tasks'],
  memory: 128,
  goal: { minimize: 'balanced' },
  env: { ...rateEnv(), TREE_SCALE, ...(TREE_STORE !== undefined && { TREE_STORE }) },
  load: {
    request: (index) => ({ task: 'a', input: { n: index } }),
    profiles: {
      steady: { kind: 'steady', rps: 30, seconds: 20 },
      burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
      cold: { kind: 'cold', rps: 1, seconds: 30 },
    },
  },
})
