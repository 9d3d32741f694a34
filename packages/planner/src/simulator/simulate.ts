import { entryTasks, type FusionSetup, setupId } from 'fusionize/setup'
import { seededRandom } from '../statistics/random.js'
import { groupedTable } from './draws.js'
import { Engine } from './engine.js'
import { compile } from './program.js'
import { Recorder } from './recorder.js'
import type { Behaviour, SimulatedPlatform, SimulationOptions, SimulationResult } from './types.js'

/** Added to the seed for all that is no arrival. */
const REST = 0x5bd1e995

/**
 * Runs a load on an application in virtual time, event by event: a remote call waits for the reply, an inline one runs in the same sandbox and
 * shares its cores, sends go on after the reply and never delay it. The same arguments give the same result, bit for bit; arrivals do
 * not depend on the setup. Not simulated: failures and retries, payload sizes, `passing` and `prewarm`.
 *
 * @throws {RangeError} the behaviour, the setup, the platform or the load have something that cannot be simulated
 */
export function simulate(
  behaviour: Behaviour,
  setup: FusionSetup,
  platform: SimulatedPlatform,
  options: SimulationOptions,
): SimulationResult {
  const program = compile(behaviour, setup, platform)
  const recorder = options.onRecord
    ? new Recorder(
        program,
        behaviour.app.name,
        setupId(setup),
        options.epochMs ?? 1_000_000,
        platform.forcedCold ?? false,
      )
    : null
  const random = { arrivals: seededRandom(options.seed), rest: seededRandom(options.seed + REST) }
  const entries = entriesOf(options.entries ?? equally(entryTasks(behaviour.app)), program.tasks)
  const setting = { program, platform, options, entries, recorder, random }
  return new Engine(setting, groupedTable(platform.gatewayMs ?? 0)).run()
}

function equally(tasks: readonly string[]): Record<string, number> {
  return Object.fromEntries(tasks.map((task) => [task, 1]))
}

function entriesOf(weights: Record<string, number>, tasks: readonly string[]) {
  const named = Object.entries(weights).filter(([, weight]) => weight > 0)
  const unknown = named.find(([task]) => !tasks.includes(task))
  if (unknown) throw new RangeError(`requests ask for '${unknown[0]}', which is no task of the app`)
  const total = named.reduce((sum, [, weight]) => sum + weight, 0)
  if (!(total > 0)) throw new RangeError('requests ask for no task')
  let sum = 0
  const upTo = Float64Array.from(named, ([, weight]) => {
    sum += weight
    return sum / total
  })
  // Rounding must not leave a gap at the end.
  upTo[upTo.length - 1] = 1
  return { ids: Int32Array.from(named, ([task]) => tasks.indexOf(task)), upTo }
}
