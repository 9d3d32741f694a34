import { strategies } from '@fusionize/planner'
import { convergeInSimulation } from '../convergence/simulated.js'
import type { Bench, Case, Setting } from '../harness.js'
import { InputError } from '../input-error.js'

/** Strategies that are compared, where the planner has them. */
const names = ['plan', 'closure', 'published'].filter((name) => Object.hasOwn(strategies, name))
const DEFAULT_SEED = 1

const local: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'socket',
  durability: 'journal',
  records: 'on',
  wait: 'park',
}
const simulated: Setting = { ...local, isolation: 'sandbox', transport: 'none', durability: 'none' }

function cases({ only = '' }: Record<string, string>): Record<string, Case> {
  const all = names.map((name) => [`${name}-simulated`, { ...simulated, role: roleOf(name) }] as const)
  return Object.fromEntries(all.filter(([id]) => id.includes(only)))
}

const roleOf = (name: string): Setting['role'] => (name === 'published' ? 'peer' : 'ours')

const bench: Bench = {
  method: '',
  unit: 'deployments',
  moreIsInFindings: true,
  cases,
  async run(context) {
    const { only = '' } = context.options
    const inSimulation = names.filter((name) => `${name}-simulated`.includes(only))
    if (inSimulation.length > 0) await convergeInSimulation(context, inSimulation, seedOf(context.options.seed))
  },
}
export default bench

function seedOf(text = String(DEFAULT_SEED)): number {
  const seed = Number(text)
  if (Number.isSafeInteger(seed) && seed >= 0 && seed < 2 ** 31) return seed
  throw new InputError(`--seed must be a whole number from 0 to ${2 ** 31 - 1}, not '${text}'`)
}
