import { defineConfig } from 'fusionize'
import { defaultScale, type SvdRequest } from './lib/request'

const { SVD_SCALE = String(defaultScale), SVD_STORE } = process.env

/** So many different matrices are asked for in turn. */
const matrices = 4

export default defineConfig({
  app: 'approximate-svd',
  tasks: ['tasks'],
  memory: 256,
  goal: { minimize: 'balanced' },
  env: { SVD_SCALE, ...(SVD_STORE !== undefined && { SVD_STORE }) },
  load: {
    request: (index): { task: string; input: SvdRequest } => ({
      task: 'approximate-svd',
      input: { matrix: index % matrices },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 1, seconds: 60 },
      burst: { kind: 'burst', from: 0.25, to: 2, step: 0.25, everySeconds: 4 },
      cold: { kind: 'cold', rps: 0.2, seconds: 60 },
    },
  },
})
