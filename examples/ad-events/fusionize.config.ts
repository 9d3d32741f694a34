import { adEvents } from '@fusionize/example-kit/ads'
import { defineConfig } from 'fusionize'

const { AD_EVENTS_WINDOW_MS, AD_EVENTS_TYPES, AD_EVENTS_STORE } = process.env
const batch = 20

export default defineConfig({
  app: 'ad-events',
  tasks: ['tasks'],
  memory: 128,
  goal: { minimize: 'balanced' },
  env: {
    ...(AD_EVENTS_WINDOW_MS !== undefined && { AD_EVENTS_WINDOW_MS }),
    ...(AD_EVENTS_TYPES !== undefined && { AD_EVENTS_TYPES }),
    ...(AD_EVENTS_STORE !== undefined && { AD_EVENTS_STORE }),
  },
  load: {
    request: (index) => ({
      task: 'ingest',
      input: { events: adEvents({ seed: 1, first: index * batch, count: batch }) },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 50, seconds: 20 },
      burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
      cold: { kind: 'cold', rps: 1, seconds: 30 },
    },
  },
})
