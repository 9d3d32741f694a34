import { defineConfig } from 'fusionize'
import type { SortRequest } from './lib/request'

const { SORT_WORK, SORT_RECORDS = '20000' } = process.env

export default defineConfig({
  app: 'mapreduce-sort',
  tasks: ['tasks'],
  memory: 256,
  goal: { minimize: 'balanced' },
  env: { ...(SORT_WORK !== undefined && { SORT_WORK }) },
  load: {
    request: (): { task: string; input: SortRequest } => ({
      task: 'sort',
      input: { records: Number(SORT_RECORDS), mappers: 4, reducers: 4, memoryMb: 256 },
    }),
    profiles: {
      steady: { kind: 'steady', rps: 5, seconds: 20 },
      burst: { kind: 'burst', from: 1, to: 8, step: 1, everySeconds: 2 },
      cold: { kind: 'cold', rps: 0.5, seconds: 30 },
    },
  },
})
