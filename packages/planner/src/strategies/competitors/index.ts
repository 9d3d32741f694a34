import type { Strategy } from '../../types.js'
import { faastlane, faastlane1 } from './faastlane.js'
import { orion } from './orion.js'
import { photons, photonsBest } from './photons.js'
import { sonic } from './sonic.js'
import { stageStrategy } from './stage-strategy.js'
import { wisefuse } from './wisefuse.js'

/** The published competitors as strategies of the loop, by name. */
export const competitors: Readonly<Record<string, Strategy>> = Object.fromEntries(
  [
    stageStrategy({ name: 'photons', source: 'Photons (SoCC 2020), as in BASELINES', planner: photons }),
    stageStrategy({
      name: 'photons-best',
      source: 'Photons (SoCC 2020), as in BASELINES, capacity and sizes swept',
      planner: photonsBest,
    }),
    stageStrategy({ name: 'faastlane', source: 'Faastlane (ATC 2021), as in BASELINES', planner: faastlane }),
    stageStrategy({
      name: 'faastlane-1',
      source: 'Faastlane (ATC 2021), as in BASELINES, one sandbox',
      planner: faastlane1,
    }),
    stageStrategy({ name: 'sonic', source: 'SONIC (ATC 2021), as in BASELINES', planner: sonic }),
    stageStrategy({ name: 'orion', source: 'Orion (OSDI 2022), as in BASELINES', planner: orion }),
    stageStrategy({
      name: 'wisefuse',
      source: 'WiseFuse (SIGMETRICS 2022), as in BASELINES; its search is a reconstruction',
      planner: wisefuse,
      replans: 2,
    }),
  ].map((strategy) => [strategy.name, strategy]),
)
