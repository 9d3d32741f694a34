import { rateEnv } from '@fusionize/example-kit'
import { defineConfig } from 'fusionize'
import { loadRequest } from './lib/load'
import { defaultScale } from './lib/sizes'

const { WEBSHOP_SCALE = String(defaultScale), WEBSHOP_STORE } = process.env

export default defineConfig({
  app: 'webshop',
  tasks: ['tasks'],
  memory: 128,
  goal: { minimize: 'balanced' },
  env: { ...rateEnv(), WEBSHOP_SCALE, ...(WEBSHOP_STORE !== undefined && { WEBSHOP_STORE }) },
  load: {
    request: (index) => ({ task: 'frontend', input: loadRequest(index) }),
    profiles: {
      steady: { kind: 'steady', rps: 24, seconds: 20 },
      burst: { kind: 'burst', from: 3, to: 24, step: 3, everySeconds: 2 },
      cold: { kind: 'cold', rps: 0.6, seconds: 40 },
    },
  },
})
