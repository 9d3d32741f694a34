import { defineConfig } from 'fusionize'
import type { VideoRequest } from './lib/request'
import { defaultScale } from './lib/sizes'

const { VIDEO_SCALE = String(defaultScale), VIDEO_STORE } = process.env

/** So many different recordings are asked for in turn. */
const recordings = 8

export default defineConfig({
  app: 'video-analytics',
  tasks: ['tasks'],
  memory: 256,
  goal: { minimize: 'balanced' },
  env: { VIDEO_SCALE, ...(VIDEO_STORE !== undefined && { VIDEO_STORE }) },
  load: {
    request: (index): { task: string; input: VideoRequest } => ({
      task: 'analyze-video',
      input: { video: index % recordings },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 1, seconds: 60 },
      burst: { kind: 'burst', from: 0.5, to: 2, step: 0.5, everySeconds: 4 },
      cold: { kind: 'cold', rps: 0.2, seconds: 60 },
    },
  },
})
