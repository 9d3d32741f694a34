import { type Behaviour, type BySize, type SimulatedPlatform, seededRandom } from '@fusionize/planner'
import { type FusionSetup, type Mode, remoteSetup } from 'fusionize/setup'
import type { World } from './world.js'

/** What the tasks of a world do, for the simulator. */
export function behaviourOf({ app, scripts }: Pick<World, 'app' | 'scripts'>): Behaviour {
  const tasks = Object.entries(scripts).map(([task, steps]) => [task, { scripts: [steps] }])
  return { app, tasks: Object.fromEntries(tasks) }
}

/** The platform of a world, for the simulator. Its sandboxes start in no time unless `changes` say otherwise. */
export function platformOf(world: World, changes: Partial<SimulatedPlatform> = {}): SimulatedPlatform {
  const { facts } = world
  const bySize = (of: (memoryMb: number) => number): BySize =>
    facts.memoryLadder.map((memoryMb) => ({ memoryMb, ms: of(memoryMb) }))
  const handOver = (mode: Mode) => bySize((memoryMb) => world.handOverMs(mode, memoryMb))
  return {
    prices: facts.prices,
    mbPerCore: facts.mbPerCore,
    cpu: { kind: 'even' },
    coresPerSandbox: 1,
    handOver: { call: handOver('call'), send: handOver('send') },
    startUp: bySize(() => 0),
    keepAliveMs: 600_000,
    ...changes,
  }
}

/** Some setup of a world's app: any route of any call, any size. */
export function someSetup({ app, facts }: World, seed: number): FusionSetup {
  const random = seededRandom(seed)
  const setup = remoteSetup(app, 128)
  for (const spec of Object.values(setup.functions)) {
    spec.memory = facts.memoryLadder[Math.floor(random() * facts.memoryLadder.length)] as number
    for (const { to, modes } of app.edges)
      for (const mode of modes) if (random() < 0.5 && !spec.inline[mode].includes(to)) spec.inline[mode].push(to)
    spec.buckets = Object.keys(app.buckets ?? {}).filter(() => random() < 0.5)
  }
  return setup
}
