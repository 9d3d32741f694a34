import { fileURLToPath } from 'node:url'
import { fileStore, rateEnv, type Store } from '@fusionize/example-kit'
import fc from 'fast-check'
import type { App } from 'fusionize/setup'
import signage from '../../examples/iot/tasks/action-signage'
import analyzeSensor from '../../examples/iot/tasks/analyze-sensor'
import checkAccident from '../../examples/iot/tasks/check-accident'
import checkAir from '../../examples/iot/tasks/check-air'
import checkSensor from '../../examples/iot/tasks/check-sensor'
import checkSound from '../../examples/iot/tasks/check-sound'
import checkSoundLevel from '../../examples/iot/tasks/check-sound-level'
import checkTemperature from '../../examples/iot/tasks/check-temperature'
import detectJam from '../../examples/iot/tasks/detect-jam'
import storeEvent from '../../examples/iot/tasks/store-event'
import a from '../../examples/tree/tasks/a'
import b from '../../examples/tree/tasks/b'
import c from '../../examples/tree/tasks/c'
import d from '../../examples/tree/tasks/d'
import e from '../../examples/tree/tasks/e'
import f from '../../examples/tree/tasks/f'
import g from '../../examples/tree/tasks/g'

/** A task whose input and output types do not matter here. */
export interface AnyTask {
  (input: never): Promise<unknown>
  readonly taskName: string
}

/** An example application, at a size at which its work takes next to nothing. */
export interface Example {
  name: 'iot' | 'tree'
  appDir: string
  tasks: AnyTask[]
  entry: AnyTask
  /** The `at`-th request of a run: its own ids, so that what it leaves behind can be told apart. */
  requestArbitrary(at: number): fc.Arbitrary<unknown>
  /** The calls that a request makes when nothing goes wrong outside the tasks, as `from mode to`, sorted. */
  callsOf(request: never, app: App): string[]
  /** Environment that makes the tasks use a folder as their store. */
  env(store: string): Record<string, string>
}

const rates = rateEnv()
const folder = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url))
const everyEdge = (app: App) => app.edges.flatMap(({ from, to, modes }) => modes.map((mode) => `${from} ${mode} ${to}`))

export const iot: Example = {
  name: 'iot',
  appDir: folder('iot'),
  tasks: [
    ...[signage, analyzeSensor, checkAccident, checkAir, checkSensor, checkSound, checkSoundLevel, checkTemperature],
    ...[detectJam, storeEvent],
  ],
  entry: analyzeSensor,
  // One in five asks for a sensor that is not installed, and fails in check-sensor.
  requestArbitrary: (at) =>
    fc
      .oneof(
        { weight: 4, arbitrary: fc.nat({ max: 99 }) },
        { weight: 1, arbitrary: fc.integer({ min: 100, max: 999 }) },
      )
      .map((sensor) => ({ sensor: `s-${sensor}`, at })),
  callsOf: (request: { sensor: string }, app) =>
    Number(request.sensor.slice(2)) < 100 ? everyEdge(app).sort() : ['analyze-sensor call check-sensor'],
  env: (store) => ({ ...rates, IOT_SCALE: '0.0005', IOT_STORE: store }),
}

export const tree: Example = {
  name: 'tree',
  appDir: folder('tree'),
  tasks: [a, b, c, d, e, f, g],
  entry: a,
  requestArbitrary: (at) => fc.nat({ max: 1000 }).map((n) => ({ n: n * 1000 + at })),
  callsOf: (_request, app) => everyEdge(app).sort(),
  env: (store) => ({ ...rates, TREE_SCALE: '0.0005', TREE_STORE: store }),
}

export function storeAt(folder: string): Store {
  return fileStore(() => folder)
}
