import { openLocalBench } from '../convergence/local-lab.js'
import type { Bench } from '../harness.js'
import { InputError } from '../input-error.js'
import { setting } from '../load/compare.js'
import { quantile } from '../quantile.js'
import { adoptedSetups, findBounds, type Promised, type Replication, replicate } from '../replications/replicate.js'

const STRATEGY = 'plan'
/** Requests of each round of the strategy. */
const REQUESTS = 200
const REPLICATIONS = 20
/** Of the replications, those that must keep their bound: 19 of 20. */
const PROMISED_SHARE = 0.95

const bench: Bench = {
  method:
    'an example application (iot, or --app NAME) under its steady load, open loop over HTTP, process sandboxes with CPU shares. Bounds, from one measurement beforehand: midway by ratio between what everything remote at the ' +
    `configured memory gives and the best of everything fused at three sizes. A replication: the strategy ${STRATEGY} from scratch, ${REQUESTS} requests a round, budget (lowest p95 with the cost per million within the bound) and p95 (lowest cost ` +
    'with the p95 within the bound) in turn; what it adopted is then deployed and measured anew by 300 requests that nobody served before. A sample: the measured figure / its bound',
  unit: 'measured / bound',
  moreIsInFindings: true,
  cases: { budget: setting, p95: setting },
  async run(context) {
    const { options, sample, more, finding, progress } = context
    const quick = options.quick !== undefined
    const count = replicationsOf(options.replications, quick)
    const local = await openLocalBench(options.app ?? 'iot', quick ? 6 : REQUESTS, context)
    try {
      const { costPerMillionUsd, p95Ms, words } = await findBounds(local, quick)
      const promises: Record<'budget' | 'p95', Promised> = {
        budget: {
          goal: { minimize: 'p95', subjectTo: { costPerMillionUsd } },
          bound: costPerMillionUsd,
          figureOf: (m) => m.costPerMillionUsd?.value,
        },
        p95: {
          goal: { minimize: 'cost', subjectTo: { p95Ms } },
          bound: p95Ms,
          figureOf: (m) => m.p95Ms.value,
        },
      }
      finding(
        `${local.loaded.name}: budget $${costPerMillionUsd.toPrecision(3)} per million, p95 ${p95Ms.toPrecision(3)} ms: ${words}`,
      )
      const done: Record<'budget' | 'p95', Replication[]> = { budget: [], p95: [] }
      for (let i = 0; i < count; i++)
        for (const id of ['budget', 'p95'] as const) {
          const one = await replicate(local, STRATEGY, promises[id], i, quick)
          done[id].push(one)
          sample(id, one.ratio)
          progress(
            `${id} ${i + 1} of ${count}: ${one.measured?.toPrecision(3) ?? 'failed'} of ${promises[id].bound.toPrecision(3)} after ${one.deployments} deployments`,
          )
        }
      for (const id of ['budget', 'p95'] as const) {
        const kept = done[id].filter(({ ratio }) => ratio <= 1).length
        const needed = Math.ceil(PROMISED_SHARE * count)
        const ratios = Float64Array.from(done[id], ({ ratio }) => ratio).sort()
        const deployments = Float64Array.from(done[id], (one) => one.deployments).sort()
        more(id, { bound: promises[id].bound, kept, replications: count, needed })
        finding(
          `${id}: kept in ${kept} of ${count} replications (${needed} are promised); measured / bound p50 ${quantile(ratios, 0.5).toFixed(3)}, max ${quantile(ratios, 1).toFixed(3)}; ` +
            `deployments p50 ${quantile(deployments, 0.5)}, max ${quantile(deployments, 1)}; adopted ${adoptedSetups(local, done[id])}`,
        )
      }
    } finally {
      await local.close()
    }
  },
}
export default bench

function replicationsOf(text: string | undefined, quick: boolean): number {
  if (text === undefined) return quick ? 1 : REPLICATIONS
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InputError(`--replications must be a whole number above 0, not '${text}'`)
}
