import { type Round, strategies } from '@fusionize/planner'
import { expect, test } from 'vitest'
import { contextOf, memories, runStrategy } from './run.js'
import { awsLike, iotWorld, worldOf } from './world.js'

const published = strategies.published as NonNullable<(typeof strategies)[string]>
const ladder = [128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1650, 1769, 2048, 3008]

function iot() {
  const world = iotWorld()
  world.facts = { ...awsLike, memoryLadder: ladder }
  // Small functions hand sends over so slowly that a larger one is cheaper.
  world.handOverMs = (mode, memory) => (mode === 'send' ? (memory < 768 ? 160 : 4) : 24)
  return world
}

test('on iot it takes the five edges in alphabetical order, then the sweep, then the cheapest sizes: twelve setups', () => {
  const world = iot()
  const history = runStrategy(published, world, contextOf(world, { minimize: 'balanced' }))
  expect(history.map((round) => round.summary)).toEqual([
    'every task is a function of its own, 128 MB',
    'path: analyze-sensor → check-sensor inline',
    'path: analyze-sensor → store-event inline',
    'path: check-air → detect-jam inline',
    'path: check-sound → check-accident inline',
    'path: check-sound → check-sound-level inline',
    'sweep: 768 MB',
    'sweep: 1024 MB',
    'sweep: 1536 MB',
    'sweep: 1650 MB',
    'sweep: 2048 MB',
    'cheapest size of each function',
  ])
})

test('it adopts the setup with the lowest median, whatever it costs', () => {
  const world = iot()
  const context = contextOf(world, { minimize: 'cost' })
  const history = runStrategy(published, world, context)
  const lowest = Math.min(...history.map((round) => round.measurement.p50Ms.value))
  expect(published.adopt?.(history, context)?.measurement.p50Ms.value).toBe(lowest)
})

test('each function gets the size at which its mean duration times its memory was least', () => {
  const world = iot()
  const history = runStrategy(published, world, contextOf(world, { minimize: 'balanced' }))
  const sizes = memories((history.at(-1) as Round).setup)
  expect(sizes['analyze-sensor']).toBe(768)
  expect(sizes['action-signage']).toBe(128)
})

test('it follows calls into tasks that are inline already', () => {
  const world = worldOf('chain', { a: [{ call: ['b'] }], b: [{ call: ['c'] }], c: [{ cpuMs: 1 }] })
  const history = runStrategy(published, world, contextOf(world, { minimize: 'balanced' }))
  expect(history.slice(1, 4).map((round) => round.summary)).toEqual([
    'path: a → b inline',
    'path: a → c inline',
    'sweep: 768 MB',
  ])
})

test('edges that the user forbids to inline stay remote', () => {
  const world = iot()
  const history = runStrategy(published, world, contextOf(world, { minimize: 'balanced' }, { isolate: ['detect-jam'] }))
  expect(history.map((round) => round.summary)).not.toContain('path: check-air → detect-jam inline')
  expect(history.map((round) => round.summary)).toContain('path: check-sound → check-accident inline')
})
