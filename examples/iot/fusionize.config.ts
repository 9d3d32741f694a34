import { rateEnv } from '@fusionize/example-kit'
import { defineConfig } from 'fusionize'
import type { SensorRequest } from './lib/reading'
import { defaultScale } from './lib/sizes'

const { IOT_SCALE = String(defaultScale), IOT_STORE } = process.env

export default defineConfig({
  app: 'iot',
  tasks: ['tasks'],
  memory: 128,
  goal: { minimize: 'balanced' },
  env: { ...rateEnv(), IOT_SCALE, ...(IOT_STORE !== undefined && { IOT_STORE }) },
  load: {
    request: (index): { task: string; input: SensorRequest } => ({
      task: 'analyze-sensor',
      input: { sensor: `s-${index % 100}`, at: Math.floor(index / 100) },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 50, seconds: 20 },
      burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
      cold: { kind: 'cold', rps: 0.8, seconds: 40 },
    },
  },
})
