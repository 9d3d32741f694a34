import { defineConfig } from 'fusionize'
import { defaultScale, type TrainingRequest } from './lib/request'

const { ML_SCALE = String(defaultScale), ML_STORE } = process.env

/** So many different data sets are asked for in turn. */
const datasets = 4

export default defineConfig({
  app: 'ml-pipeline',
  tasks: ['tasks'],
  memory: 256,
  goal: { minimize: 'balanced' },
  env: { ML_SCALE, ...(ML_STORE !== undefined && { ML_STORE }) },
  load: {
    request: (index): { task: string; input: TrainingRequest } => ({
      task: 'ml-pipeline',
      input: { dataset: index % datasets },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 0.5, seconds: 120 },
      burst: { kind: 'burst', from: 0.25, to: 1, step: 0.25, everySeconds: 8 },
      cold: { kind: 'cold', rps: 0.2, seconds: 60 },
    },
  },
})
