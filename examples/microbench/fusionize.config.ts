import { defineConfig, type LoadRequest } from 'fusionize'

/** One request of each entry in turn. */
const requests: readonly ((index: number) => LoadRequest)[] = [
  (index) => ({ task: 'noop', input: { n: index } }),
  (index) => ({ task: 'chain', input: { start: index } }),
  () => ({ task: 'fan-out', input: { n: 16 } }),
  () => ({ task: 'fan-set', input: {} }),
  () => ({ task: 'payload', input: { bytes: 10_000 } }),
  () => ({ task: 'stragglers', input: { slow: 2, slowMs: 100 } }),
]

/** All load goes to one entry when `MICROBENCH_ENTRY` names it. */
const { MICROBENCH_ENTRY } = process.env
const chosen = requests.filter((request) => MICROBENCH_ENTRY === undefined || request(0).task === MICROBENCH_ENTRY)

export default defineConfig({
  app: 'microbench',
  tasks: ['tasks'],
  memory: 128,
  goal: { minimize: 'p50' },
  load: {
    request: (index) => (chosen[index % chosen.length] ?? unknownEntry)(index),
    profiles: {
      steady: { kind: 'steady', rps: 30, seconds: 20 },
      burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
      cold: { kind: 'cold', rps: 1, seconds: 30 },
    },
  },
})

function unknownEntry(): never {
  throw new Error(`MICROBENCH_ENTRY is '${MICROBENCH_ENTRY}'; entries are ${requests.map((r) => r(0).task).join(', ')}`)
}
