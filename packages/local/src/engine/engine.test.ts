import type { Build } from '@fusionize/platform'
import { expect, it, vi } from 'vitest'
import type { Buckets } from '../buckets/index.js'
import * as kind from '../sandbox/kinds.js'
import type { Head } from '../sandbox/messages.js'
import { Deployment } from './deployment.js'
import { Engine, type EnginePorts } from './engine.js'
import type { HostEvents } from './host.js'

/** An engine with one function, whose sandboxes are what the test says of them. */
function engineOfOne(concurrency = 1, restMs = 0) {
  const hosts: HostEvents[] = []
  /** Numbers of the jobs that each was asked to run. */
  const ran: number[][] = []
  const ports = {
    startHost: (_: unknown, events: HostEvents) => {
      hosts.push(events)
      const jobs: number[] = []
      ran.push(jobs)
      const post = ([code, job]: Head) => code === kind.invoke && jobs.push(job as number)
      const channel = { post, postSoon() {}, postLater() {}, hurry() {}, flush() {} }
      return { channel, limitCpu() {}, kill() {} }
    },
    orphan() {},
    record() {},
    held: () => undefined,
    buckets: { lease: () => false, gone() {}, ports: { large: { forSandbox: () => undefined } } } as unknown as Buckets,
  } as unknown as EnginePorts
  const limits = {
    capacity: 4,
    weightOf: () => 1,
    ceiling: 10,
    startsAtOnce: 2,
    queueLimit: 10,
    restMsOf: () => restMs,
  }
  const options = { timeoutMs: 1000, keepAliveMs: 1000, sampleCpuEvery: 10, dev: false, objects: '' }
  const engine = new Engine({ ...limits, ...options }, ports)
  const artifact = { function: 'f', tasks: ['f'], file: '', hash: '', bytes: 0, externals: [] }
  const spec = { tasks: ['f'], memory: 128, inline: {}, concurrency, bundle: 1, parallel: 'loop', buckets: [] }
  const build = { app: { tasks: {} }, setup: { functions: { f: spec } }, artifacts: { f: artifact }, env: {} }
  const deployment = new Deployment('setup', build as unknown as Build, false, undefined)
  let jobs = 0
  /** A job, `r1`, `r2`, … */
  const submit = () => {
    const id = `r${++jobs}`
    const request = { id, session: id, task: 'f', mode: 'call' as const, external: true, attempt: 1 }
    const more = { deadline: Date.now() + 60_000, limitMs: 60_000, trace: '', parent: null, input: '1' }
    engine.submit(deployment, 'f', { ...request, ...more }, false, () => {})
  }
  const ends = (sandbox: number, job: number) =>
    hosts[sandbox]?.message([kind.reply, job, true, 0, [], true], ['1', `{"invocation":"r${job}","concurrent":1}`])
  return { engine, hosts, ran, deployment, submit, ends }
}

it('what a sandbox said is not heard after its end: it is run again, and would never be over', async () => {
  const { engine, hosts, deployment } = engineOfOne()
  const answers: boolean[] = []
  const request = { id: 'r', session: 's', task: 'f', mode: 'call' as const, external: true, attempt: 1 }
  const more = { deadline: Date.now() + 1000, limitMs: 1000, trace: '', parent: null, input: '1' }
  engine.submit(deployment, 'f', { ...request, ...more }, false, (ok) => answers.push(ok))
  const [host] = hosts as [HostEvents]
  host.message([kind.ready], [])
  expect(engine.open).toBe(1)
  host.exit({ code: null, signal: 'SIGKILL', outOfMemory: false })
  expect([answers, engine.open]).toEqual([[false], 0])
  host.message([kind.began, 'x:1', 'send-1', 's', 'f', Date.now() + 1000, '', '', 'send'], [])
  host.message([kind.begins, 'x:2', 'send-2'], [])
  expect(engine.open).toBe(0)
  await engine.drained()
  await engine.close()
})

it('a job goes to the fullest sandbox with room, and only where there is none to a new one', async () => {
  const { engine, hosts, ran, submit, ends } = engineOfOne(3)
  for (let i = 0; i < 4; i++) submit()
  // The second is for the fourth.
  expect(hosts).toHaveLength(2)
  for (const host of hosts) host.message([kind.ready], [])
  expect(ran).toEqual([[1, 2, 3], [4]])
  submit()
  expect(ran[1]).toEqual([4, 5])
  ends(0, 1)
  ends(0, 2)
  // The first was used last, the second is fuller.
  submit()
  expect(ran).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
  submit()
  submit()
  submit()
  expect(ran[0]).toEqual([1, 2, 3, 7, 8])
  expect(hosts).toHaveLength(3)
  const closed = engine.close()
  for (const host of hosts) host.exit({ code: 0, signal: null, outOfMemory: false })
  await closed
})

it('where CPU is held back, a job goes to the sandbox used last that has rested; has none, to the one that has rested longest', () => {
  vi.useFakeTimers()
  const { hosts, ran, submit, ends } = engineOfOne(1, 60)
  for (let i = 0; i < 3; i++) submit()
  hosts[0]?.message([kind.ready], [])
  hosts[1]?.message([kind.ready], [])
  hosts[2]?.message([kind.ready], [])
  expect(ran).toEqual([[1], [2], [3]])
  ends(0, 1)
  vi.advanceTimersByTime(10)
  ends(1, 2)
  vi.advanceTimersByTime(55)
  ends(2, 3)
  // The first has rested for 65 ms, the second for 55, the third not at all.
  submit()
  expect(ran[0]).toEqual([1, 4])
  // None has rested for 60.
  submit()
  expect(ran[1]).toEqual([2, 5])
  ends(0, 4)
  ends(1, 5)
  vi.advanceTimersByTime(60)
  // All have: the one used last.
  submit()
  expect(ran).toEqual([[1, 4], [2, 5, 6], [3]])
  vi.useRealTimers()
})
