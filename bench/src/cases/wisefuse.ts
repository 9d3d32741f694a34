import type { Bench, Setting } from '../harness.js'
import { measuredApps } from '../wisefuse/apps.js'
import { compareStrategies } from '../wisefuse/compare.js'
import { rowNames } from '../wisefuse/rows.js'

const setting: Setting = {
  role: 'peer',
  isolation: 'process',
  transport: 'socket',
  durability: 'journal',
  records: 'on',
  wait: 'park',
}

function chosenApps({ app }: Record<string, string>) {
  return measuredApps.filter(({ name }) => app === undefined || name === app)
}

const bench: Bench = {
  method:
    "the published competitors as strategies (competitors by their papers' decisions, sizes by the search of Orion; WiseFuse's search is a reconstruction), all from one profile of everything remote, all for the same goal: " +
    'the lowest cost within a P95 midway between remote and the fastest setup known; wisefuse and plan then deploy and correct themselves as often as their rules allow. The setups are put under the same open-loop load on one ' +
    'platform in turn, in blocks, over HTTP, latency from the intended arrival to the last byte; process sandboxes with CPU shares; requests smaller than the published ones, so that the machine has room; no emulation unless ' +
    '--emulate says so',
  unit: 'ms',
  moreIsInFindings: true,
  cases: (options) =>
    Object.fromEntries(
      chosenApps(options).flatMap(({ name }) =>
        rowNames.map((row) => [
          `${name}-${row}`,
          {
            ...setting,
            role: row === 'plan' ? 'ours' : row === 'remote' || row === 'all-fused' ? 'yardstick' : 'peer',
          },
        ]),
      ),
    ),
  async run(context) {
    for (const app of chosenApps(context.options)) await compareStrategies(app, context)
  },
}

export default bench
