import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appOf } from '../../test/apps.js'
import { appWithSetups } from '../../test/arbitraries.js'
import {
  allFusedSetup,
  artifactTasks,
  directModes,
  effectiveSetup,
  type FunctionSpec,
  type FusionSetup,
  parseSetup,
  printSetup,
  reachableFunctions,
  remoteSetup,
  routeOf,
} from './index.js'

const app = appOf({ ingest: 'POST /readings' }, [
  'ingest call check',
  'check send store',
  'check map store',
  'store send ingest',
])

test('in the remote setup every task is alone and every function that something calls exists', () => {
  const setup = remoteSetup(app, 128)
  expect(artifactTasks(app, setup, 'ingest')).toEqual(['ingest'])
  expect(reachableFunctions(app, setup)).toEqual(['check', 'ingest', 'store'])
})

test('in the all-fused setup the entry holds everything and is the only function that must exist', () => {
  const setup = allFusedSetup(app, 768)
  expect(artifactTasks(app, setup, 'ingest')).toEqual(['check', 'ingest', 'store'])
  expect(reachableFunctions(app, setup)).toEqual(['ingest'])
  expect(setup.functions.check?.inline).toEqual({ call: ['check'], send: ['ingest', 'store'], map: ['store'] })
})

test('a route is decided by function, callee and mode', () => {
  const setup = parseSetup('(ingest, check:call)@128-(check, store:send)@128-(store)@128')
  expect(routeOf(setup, 'ingest', 'check', 'call')).toBe('inline')
  expect(routeOf(setup, 'ingest', 'check', 'send')).toBe('remote')
  expect(routeOf(setup, 'check', 'store', 'send')).toBe('inline')
  expect(routeOf(setup, 'check', 'store', 'map')).toBe('remote')
  expect(routeOf(setup, 'unknown', 'store', 'map')).toBe('remote')
})

test('an artifact does not contain what its tasks cannot call', () => {
  const setup = parseSetup('(ingest, store)@128-(check)@128-(store)@128')
  expect(artifactTasks(app, setup, 'ingest')).toEqual(['ingest'])
})

test('a function that is inline in one mode and remote in another still exists', () => {
  const setup = parseSetup('(ingest, check, store:send)@128-(check)@128-(store, ingest, check)@128')
  expect(reachableFunctions(app, setup)).toEqual(['ingest', 'store'])
})

test('without http the entries are the tasks that no other task calls, else all tasks', () => {
  const loose = appOf({}, ['a call b', 'b call b', 'c call c'])
  expect(reachableFunctions(loose, allFusedSetup(loose, 128))).toEqual(['a', 'c'])
  const ring = appOf({}, ['a call b', 'b call a'])
  expect(reachableFunctions(ring, allFusedSetup(ring, 128))).toEqual(['a', 'b'])
})

const gallery = appOf({ upload: 'POST /' }, ['upload call scale', 'join send store'], {
  parts: { from: ['scale'], to: ['join', 'report'] },
  clicks: { from: ['upload'], to: ['count'], fusible: false },
})

test('a function that evaluates a bucket contains what it starts, wherever that then runs', () => {
  const setup = parseSetup('(upload, scale | parts)@128-(count)@128-(join)@128-(report)@128-(store)@128', gallery)
  expect(artifactTasks(gallery, setup, 'upload')).toEqual(['join', 'report', 'scale', 'upload'])
  expect(reachableFunctions(gallery, setup)).toEqual(['count', 'join', 'report', 'store', 'upload'])
})

test('what a bucket starts runs with the put when the function evaluates the bucket and takes the send inline', () => {
  const setup = parseSetup('(upload, join, report, scale, store | parts)@128-(count)@128', gallery)
  expect(artifactTasks(gallery, setup, 'upload')).toEqual(['join', 'report', 'scale', 'store', 'upload'])
  expect(reachableFunctions(gallery, setup)).toEqual(['count', 'upload'])
  expect(setup).toEqual(parseSetup(printSetup(allFusedSetup(gallery, 128), gallery), gallery))
  expect(allFusedSetup(gallery, 128).functions.upload).toMatchObject({ buckets: ['parts'] })
})

test('an inline send alone brings nothing along that only a bucket starts', () => {
  const setup = remoteSetup(gallery, 128)
  const upload = setup.functions.upload as FunctionSpec
  upload.inline = { call: ['scale'], send: ['count', 'join'], map: [] }
  expect(artifactTasks(gallery, setup, 'upload')).toEqual(['scale', 'upload'])
  expect(effectiveSetup(gallery, setup).functions.upload?.inline).toEqual({ call: ['scale'], send: [], map: [] })
  const direct = appOf({ a: 'GET /' }, ['a send b'], { parts: { from: ['a'], to: ['b'] } })
  const inline = parseSetup('(a, b)@128-(b)@128', direct)
  expect(artifactTasks(direct, inline, 'a')).toEqual(['a', 'b'])
  expect(reachableFunctions(direct, inline)).toEqual(['a', 'b'])
})

test('a bucket that no task of the function fills has no effect there', () => {
  const setup = remoteSetup(gallery, 128)
  const upload = setup.functions.upload as FunctionSpec
  upload.buckets = ['clicks', 'parts']
  expect(effectiveSetup(gallery, setup).functions.upload?.buckets).toEqual([])
  expect(artifactTasks(gallery, setup, 'upload')).toEqual(['upload'])
})

test('what a bucket starts is no entry', () => {
  const loose = appOf({}, [], { parts: { from: ['a'], to: ['a', 'b'] } })
  expect(reachableFunctions(loose, allFusedSetup(loose, 128))).toEqual(['a'])
})

test('an artifact holds its own task and only tasks of the app, whatever the setup', () => {
  fc.assert(
    fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
      for (const fn of Object.keys(app.tasks)) {
        const inside = artifactTasks(app, setup as FusionSetup, fn)
        expect(inside).toContain(fn)
        expect(Object.keys(app.tasks)).toEqual(expect.arrayContaining(inside))
      }
    }),
  )
})

test('every call that an existing function can make ends in itself or in an existing function', () => {
  fc.assert(
    fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
      const existing = reachableFunctions(app, setup as FusionSetup)
      for (const fn of existing) {
        const inside = artifactTasks(app, setup as FusionSetup, fn)
        for (const edge of app.edges.filter(({ from }) => inside.includes(from))) {
          const { from, to } = edge
          for (const mode of directModes(edge)) {
            const isInline = routeOf(setup as FusionSetup, fn, to, mode) === 'inline'
            expect(isInline ? inside : existing, `${from} ${mode} ${to} in ${fn}`).toContain(to)
          }
          for (const bucket of edge.buckets ?? []) {
            const evaluates = setup?.functions[fn]?.buckets.includes(bucket)
            const isInline = evaluates && routeOf(setup as FusionSetup, fn, to, 'send') === 'inline'
            expect(isInline ? inside : existing, `${from} starts ${to} through ${bucket} in ${fn}`).toContain(to)
            if (evaluates) expect(inside).toContain(to)
          }
        }
      }
    }),
  )
})

test('the effective form keeps artifacts, routes and existing functions as they are', () => {
  fc.assert(
    fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
      const effective = effectiveSetup(app, setup as FusionSetup)
      const existing = reachableFunctions(app, setup as FusionSetup)
      expect(reachableFunctions(app, effective)).toEqual(existing)
      expect(Object.keys(effective.functions).sort()).toEqual(existing)
      for (const fn of existing)
        expect(artifactTasks(app, effective, fn)).toEqual(artifactTasks(app, setup as FusionSetup, fn))
    }),
  )
})
