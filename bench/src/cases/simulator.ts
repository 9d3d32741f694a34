import type { Bench, Case, Setting } from '../harness.js'
import { compareWithLocal, comparisons } from '../simulator/compare.js'
import { simulateWindows } from '../simulator/speed.js'

const simulated: Setting = {
  role: 'ours',
  isolation: 'thread',
  transport: 'none',
  durability: 'none',
  records: 'off',
  wait: 'park',
}

const local: Setting = {
  role: 'yardstick',
  isolation: 'process',
  transport: 'socket',
  durability: 'journal',
  records: 'on',
  wait: 'park',
}

function cases({ only = '' }: Record<string, string>): Record<string, Case> {
  const found: Record<string, Case> = {}
  if ('simulator'.includes(only)) found.simulator = { ...simulated, unit: 'M invocations/s' }
  for (const { id } of comparisons.filter((comparison) => comparison.id.includes(only))) {
    found[`${id}-simulated`] = simulated
    found[`${id}-local`] = local
  }
  return found
}

const bench: Bench = {
  method:
    'simulator: the published IoT application, 10 tasks in functions of their own, Poisson arrivals, log-normal hand-overs and start-ups, keep-alive, ' +
    'CPU by memory; invocations per second of CPU time of windows on one thread after as long a warm-up. ' +
    'iot: examples/iot on the local platform, process sandboxes with CPU shares, open loop over HTTP, both setups side by side after a warm-up, all loads in 20 slices that take turns, and simulated; behaviour, hand-overs and gateway ' +
    'of the simulations are from a recording of the same setup at a load that is none of those compared, or, where a finding says so, of everything remote; errors are (simulated − local) / local',
  unit: 'ms',
  cases,
  async run(context) {
    const { only = '' } = context.options
    if ('simulator'.includes(only)) simulateWindows(context)
    if (comparisons.some(({ id }) => id.includes(only))) await compareWithLocal(context)
  },
}

export default bench
