import { convergeLocally } from '../convergence/local.js'
import { convergeInSimulation } from '../convergence/simulated.js'
import type { Bench, Case, Setting } from '../harness.js'
import { InputError } from '../input-error.js'
import { setting as local } from '../load/compare.js'

/** Strategies that are compared. */
const names = ['plan', 'closure', 'published']
const apps = ['iot', 'tree', 'webshop']
const DEFAULT_SEED = 1

const simulated: Setting = { ...local, isolation: 'sandbox', transport: 'none', durability: 'none' }

function cases({ only = '' }: Record<string, string>): Record<string, Case> {
  const all = [...apps, 'simulated'].flatMap((where) =>
    names.map(
      (name) => [`${name}-${where}`, { ...(where === 'simulated' ? simulated : local), role: roleOf(name) }] as const,
    ),
  )
  return Object.fromEntries(all.filter(([id]) => id.includes(only)))
}

const roleOf = (name: string): Setting['role'] => (name === 'published' ? 'peer' : 'ours')

const bench: Bench = {
  method:
    'local: each strategy runs its loop from the configured memory under the steady load of the application until it has nothing more to propose, process sandboxes with CPU shares, open loop over HTTP, 300 requests a round (webshop: 180; iot at 25, webshop at 12 a second) after 2.5 s of warm-up, every load with an empty store; ' +
    'then what nobody deployed is enumerated (remote and all-fused at several sizes, and the neighbours of the best measured that the model predicts best) and measured once; what was adopted and what came within 15% of the best ' +
    'is measured anew in turns, at least five, and only that counts: in a turn all are deployed side by side in new sandboxes and have equal requests, in slices of 30 by turns. A sample: deployments until the first deployed setup whose gap to the best of the set, by the goal of the application, has a 95% interval ' +
    'below 2% (Student t over turns, each a deployment of its own); no sample where none was shown to be. ' +
    'simulated: applications of 3 to 6 tasks and platforms drawn from --seed (contention, quotas or even shares, log-normal hand-overs, start-ups, first runs), 300 requests a round; the best by simulating every setup, or by local search where there are more than 7000 (with quotas: 2333)',
  unit: 'deployments',
  moreIsInFindings: true,
  cases,
  async run(context) {
    const { only = '' } = context.options
    const wanted = (where: string) => names.filter((name) => `${name}-${where}`.includes(only))
    for (const app of apps) if (wanted(app).length > 0) await convergeLocally(context, app, wanted(app))
    const inSimulation = wanted('simulated')
    if (inSimulation.length > 0) await convergeInSimulation(context, inSimulation, seedOf(context.options.seed))
  },
}
export default bench

function seedOf(text = String(DEFAULT_SEED)): number {
  const seed = Number(text)
  if (Number.isSafeInteger(seed) && seed >= 0 && seed < 2 ** 31) return seed
  throw new InputError(`--seed must be a whole number from 0 to ${2 ** 31 - 1}, not '${text}'`)
}
