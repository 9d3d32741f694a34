import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Build } from '@fusionize/platform'
import { parseRecord } from 'fusionize/record'
import { defaultSpec } from 'fusionize/setup'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createEmulation } from '../src/emulation/index.js'
import { buildApp, codeOf, jsonOf, openGates, startPlatform } from './engine-app.js'

const here = dirname(fileURLToPath(import.meta.url))
let build: Build
let gates: Awaited<ReturnType<typeof openGates>>
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  build = await buildApp()
  gates = await openGates()
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})
afterAll(() => gates.close())

async function deployed(options: Parameters<typeof startPlatform>[0] = {}, what: Build = build) {
  const started = await startPlatform(options)
  running.push(started)
  await started.platform.deploy(what)
  return started
}

/** The process that ran the task `who`, and its control group of a controller. */
async function who(platform: Awaited<ReturnType<typeof deployed>>['platform']) {
  const { pid, groups } = jsonOf(await platform.invoke('who', undefined)) as { pid: number; groups: string }
  const path = (controller: string) =>
    new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(groups)?.[1] ?? ''
  const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? ''
  return { pid, path, unified }
}

test.each([
  [128, 1447, 20_000],
  [256, 2894, 20_000],
  [1769, 20_000, 20_000],
])(
  'a function of %i MB has that memory and its share of a core, or the platform says why not',
  async (memory, quota, period) => {
    const { platform } = await deployed({}, await buildApp({}, { memory }))
    const facts = platform.facts()
    const { path, unified } = await who(platform)
    if (!facts.cpuShareEnforced) {
      expect(facts.cpuShareReason).toMatch(/control groups/)
      expect(facts.cpuQuota).toBeUndefined()
      return
    }
    expect(facts.cpuShareReason).toBe('')
    expect(facts.cpuQuota?.periodMs).toBe(period / 1000)
    if (existsSync('/sys/fs/cgroup/cgroup.controllers')) {
      const group = join('/sys/fs/cgroup', unified)
      expect(readFileSync(join(group, 'cpu.max'), 'utf8').trim()).toBe(`${quota} ${period}`)
      expect(Number(readFileSync(join(group, 'memory.max'), 'utf8'))).toBe(memory * 2 ** 20)
      return
    }
    const value = (controller: string, file: string) =>
      Number(readFileSync(join('/sys/fs/cgroup', controller, path(controller), file), 'utf8'))
    expect(value('cpu', 'cpu.cfs_quota_us')).toBe(quota)
    expect(value('cpu', 'cpu.cfs_period_us')).toBe(period)
    expect(value('memory', 'memory.limit_in_bytes')).toBe(memory * 2 ** 20)
  },
)

test('threads are never held to a CPU share, and the platform says so', async () => {
  const { platform } = await deployed({ isolation: 'threads' })
  expect(platform.facts()).toMatchObject({ cpuShareEnforced: false, cpuShareReason: expect.stringMatching(/threads/) })
})

test('destroy ends every sandbox and removes its control group', async () => {
  const { platform } = await deployed()
  const { pid, path } = await who(platform)
  await platform.destroy()
  expect(existsSync(`/proc/${pid}`)).toBe(false)
  if (platform.facts().cpuShareEnforced && path('cpu') !== '')
    expect(existsSync(join('/sys/fs/cgroup/cpu', dirname(path('cpu'))))).toBe(false)
})

test.each(['threads', 'processes'] as const)(
  'destroy starts nothing for what still waits for room (%s)',
  async (isolation) => {
    const { platform } = await deployed({ isolation, maxSandboxes: 1 })
    const running = platform.invoke('gate', JSON.stringify(gates.url('busy')))
    const busy = await gates.arrival('busy')
    const waiting = platform.invoke('echo', '1')
    await platform.destroy()
    busy.open('')
    expect([codeOf(await running), codeOf(await waiting)]).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN'])
  },
)

test('an idle sandbox ends after its keep-alive', async () => {
  const { platform } = await deployed({ keepAliveMs: 100 })
  const { pid } = await who(platform)
  await gone(pid)
  expect((await who(platform)).pid).not.toBe(pid)
})

test('no sandbox outlives a platform that was killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-engine-'))
  running.push({ stop: async () => rmSync(dir, { recursive: true, force: true }) })
  const child = spawn(process.execPath, [join(here, 'fixtures/engine/platform-process.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify({ dir, build, gate: gates.url('orphan') }))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const idle = (JSON.parse(line) as { pid: number }).pid
  const busy = await gates.arrival('orphan')
  expect(existsSync(`/proc/${idle}`)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await gone(idle)
  busy.open('')
  const next = await deployed()
  expect(codeOf(await next.platform.invoke('echo', '1'))).toBe('ok')
})

test('an inline send runs after the reply in the same sandbox, and elsewhere when that dies before it is done', async () => {
  const fused = await buildApp({ leaver: { ...defaultSpec(256), inline: { call: [], send: ['gate'], map: [] } } })
  const { platform } = await deployed({ retryDelayMs: 1 }, fused)
  const pid = jsonOf(await platform.invoke('leaver', JSON.stringify(gates.url('leave')))) as number
  await gates.arrival('leave')
  expect((await platform.status()).sends.pending).toBe(1)
  process.kill(pid, 'SIGKILL')
  ;(await gates.arrival('leave')).open('second')
  await platform.drained()
  expect((await platform.status()).sends).toEqual({ pending: 0, retrying: 0, dead: 0 })
  const records = (await platform.records()).lines.map(parseRecord)
  expect(records.map((record) => [record.function, record.task, record.mode, record.attempt])).toEqual([
    ['leaver', 'gate', 'send', 2],
  ])
})

test('a session stays on its setup until what it sent is done', async () => {
  const { platform } = await deployed()
  const old = (await platform.status()).setups[0]?.id
  await platform.invoke('leaver', JSON.stringify(gates.url('stay')))
  const gate = await gates.arrival('stay')
  await platform.deploy(await buildApp({}, { memory: 512 }))
  expect((await platform.status()).setups.map((setup) => [setup.id === old, setup.sessions])).toContainEqual([true, 1])
  gate.open('')
  await platform.drained()
  expect((await platform.status()).setups.length).toBe(1)
  const records = (await platform.records()).lines.map(parseRecord)
  expect(records.map((record) => record.setup)).toEqual([old, old])
})

test('emulated start-up is waited for, and only its INIT part is in the record; delays are the same after each deploy', async () => {
  const one = await deployed({ emulate: 'aws-lambda', seed: 7 })
  const { provisionMs, initMs } = createEmulation('aws-lambda', 7).startUp(build.artifacts.echo?.bytes ?? Number.NaN)
  const colds: (number | null)[] = []
  for (const platform of [one.platform, (await deployed({ emulate: 'aws-lambda', seed: 7 })).platform]) {
    const before = performance.now()
    await platform.invoke('echo', '1')
    const took = performance.now() - before
    await platform.drained()
    const [record] = (await platform.records()).lines.map(parseRecord)
    expect(took).toBeGreaterThanOrEqual(provisionMs + initMs - 5)
    expect(record?.cold).toBeGreaterThanOrEqual(initMs)
    expect(record?.cold).toBeLessThan(took)
    colds.push(record?.cold ?? null)
  }
  expect(one.platform.facts().emulate).toBe('aws-lambda')
  expect(colds[0]).toBe(colds[1])
})

test('an emulated hand-over delays the call between functions', async () => {
  const { platform } = await deployed({ emulate: 'aws-lambda', seed: 3 })
  await platform.invoke('ping', '1')
  await platform.invoke('ping', '1')
  await platform.drained()
  let now = 0
  const emulation = createEmulation('aws-lambda', 3, () => now)
  const caller = {}
  emulation.handOverMs('call', 256, caller, 'first')
  now = 1e6
  const delayMs = emulation.handOverMs('call', 256, caller, 'second')
  const warm = (await platform.records()).lines.map(parseRecord).filter((record) => record.cold === null)
  const wait = warm.find((record) => record.function === 'ping')?.spans.find((span) => span.route === 'remote')
  expect(wait && wait.end - wait.start).toBeGreaterThanOrEqual(delayMs - 2)
})

/** Resolves when the process has ended. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setImmediate(resolve))
}
