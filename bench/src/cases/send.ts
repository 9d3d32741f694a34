import type { Bench, Setting } from '../harness.js'
import { invoke, serve } from '../lib/app.js'
import { median } from '../quantile.js'

const SENDS = 50
const ROUNDS = 60
const QUICK_ROUNDS = 2
const WARM_UP = 10

const ours = { role: 'ours', records: 'on', wait: 'park' } as const
const cases = {
  'threads-none': { ...ours, isolation: 'thread', transport: 'message-port', durability: 'none' },
  'threads-journal': { ...ours, isolation: 'thread', transport: 'message-port', durability: 'journal' },
  'processes-journal': { ...ours, isolation: 'process', transport: 'socket', durability: 'journal' },
} satisfies Record<string, Setting>
type Case = keyof typeof cases

const bench: Bench = {
  method: `a task awaits ${SENDS} sends to a remote no-op task, one after the other, warm, at 1769 MB, by its own clock: until each is held outside its sandbox; what was sent runs meanwhile, and has ended before the next block; cases alternate, ${ROUNDS} rounds after ${WARM_UP} of warm-up`,
  unit: 'us',
  cases,
  async run({ options, sample, samplesOf, finding }) {
    const ids = Object.keys(cases) as Case[]
    const served = await Promise.all(
      ids.map((id) => {
        const { isolation, durability } = cases[id]
        return serve('calls', { isolation: isolation === 'thread' ? 'threads' : 'processes', durability })
      }),
    )
    const rounds = options.quick === undefined ? ROUNDS : QUICK_ROUNDS
    try {
      for (let round = options.quick === undefined ? -WARM_UP : -1; round < rounds; round++)
        for (const [i, { platform }] of served.entries()) {
          const waits = await invoke<number[]>(platform, 'sender', SENDS)
          await platform.drained()
          if (round >= 0) for (const us of waits) sample(ids[i] as Case, us)
        }
    } finally {
      await Promise.all(served.map(({ close }) => close()))
    }
    const journalUs = median(samplesOf('threads-journal')) - median(samplesOf('threads-none'))
    finding(`the journal adds ${journalUs.toFixed(0)} us to a send (threads, medians)`)
  },
}
export default bench
