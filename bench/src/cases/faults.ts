import type { LocalPlatform } from '@fusionize/local'
import type { Bench, Case } from '../harness.js'
import { builderOf, invoke, type Served, serveBuild } from '../lib/app.js'
import { eachDurability } from '../lib/durability.js'
import { MEMORY_MB, placedBuild } from '../lib/placements.js'
import { quantile } from '../quantile.js'

const SESSIONS = 1200
const IN_FLIGHT = 12
const WARM_UP = 48
const QUICK = { sessions: 4, warmUp: 2 }
const TIMEOUT_MS = 60_000

const ours = { role: 'ours', isolation: 'process', transport: 'socket', records: 'on', wait: 'park' } as const
const cases = eachDurability({ 'function-level': ours, 'session-level': ours })
const reruns: Record<string, string> = { 'function-level': 'source', 'session-level': 'session' }

const bench: Bench = {
  method: `sessions of four steps of 100 ms each (a timer), every step a process of its own of ${MEMORY_MB} MB that the put of the step before starts; one run of a hundred kills its process with SIGKILL on the way, at a time and in sessions that follow from a seed; whoever puts expects of the step that it starts to have put within 200 ms (bucket.expect). function-level: the step is run again (rerun: 'source'), session-level: all of the session (rerun: 'session'). From the request to its reply, ${IN_FLIGHT} sessions at a time, ${SESSIONS} of each case after ${WARM_UP} of warm-up, cases one after the other; reruns are what the platform said of them, and the p50 without faults is the least that there can be: 400 ms`,
  unit: 'ms',
  cases,
  async run({ options, sample, samplesOf, more, finding, progress }) {
    const { sessions, warmUp } = options.quick === undefined ? { sessions: SESSIONS, warmUp: WARM_UP } : QUICK
    const builder = builderOf('faults')
    const build = await placedBuild(builder, 'begin', 'remote')
    await builder.dispose()
    for (const [name, { case: id = '', durability }] of Object.entries(cases) as [string, Case][]) {
      const served = await serveBuild(build, { isolation: 'processes', durability, timeoutMs: TIMEOUT_MS })
      try {
        await runSessions(served, id, -warmUp, 0, () => {})
        const before = await rerunsOf(served.platform)
        const errors = await runSessions(served, id, 0, sessions, (ms) => sample(name, ms))
        await served.platform.drained()
        const after = await rerunsOf(served.platform)
        const dead = (await served.platform.deadLetters()).length
        more(name, { reruns: after - before, errors: errors.length, deadLetters: dead, firstError: errors[0] ?? null })
      } finally {
        await served.close()
      }
      progress(`${name} is done`)
    }
    for (const id of Object.keys(reruns)) {
      const [none, journal] = ['none', 'journal'].map((durability) => {
        const sorted = Float64Array.from(samplesOf(`${id} ${durability}`)).sort()
        return `p50 ${quantile(sorted, 0.5).toFixed(0)} ms, p99 ${quantile(sorted, 0.99).toFixed(0)} ms`
      })
      finding(`${id}: ${none} without a journal; ${journal} with one`)
    }
  },
}
export default bench

/** @returns what went wrong */
async function runSessions(
  { platform }: Served,
  id: string,
  from: number,
  to: number,
  note: (ms: number) => void,
): Promise<string[]> {
  const errors: string[] = []
  let number = from
  const client = async () => {
    while (number < to) {
      const own = number++
      const began = performance.now()
      try {
        const reply = await invoke<number>(platform, 'begin', { number: own, rerun: reruns[id] })
        if (reply !== own) throw new Error(`request ${own} got the reply of ${reply}`)
        note(performance.now() - began)
      } catch (error) {
        errors.push((error as Error).message)
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, client))
  return errors
}

/** How often the platform has said that it runs something again because it was late. */
async function rerunsOf(platform: LocalPlatform): Promise<number> {
  const { entries } = await platform.logs()
  return entries.filter(({ message }) => /in time; (run \d+ of|its session is run again)/.test(message)).length
}
