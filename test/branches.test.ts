import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Item, mapsSetup, type Step, startMapsApp, type Told } from './support/maps-app.js'

const inline = { call: ['flip', 'helper'], send: [], map: [] }
const forks = { work: { parallel: 'processes' as const, inline } }

async function started(change: Parameters<typeof mapsSetup>[1]) {
  const app = await startMapsApp({ isolation: 'processes' })
  onTestFinished(() => app.stop())
  await app.deploy(mapsSetup(app.app, change))
  const ask = (...steps: Step[]) => app.request('work', { name: 'one', steps } satisfies Item) as Promise<Told>
  return { ask, records: async () => (await app.records()).filter(({ task }) => task === 'work') }
}

test('parallel branches run in processes of the sandbox, each with its own copy, what is in sequence runs in the sandbox itself', async () => {
  const { ask, records } = await started(forks)
  const { results, invocation } = await ask({ together: [4, -1] }, { help: 5 }, { flip: [1] })
  expect(results).toEqual([[`8 ${invocation}.1`, 'Error: no help with -1', [251, 0]], `10 ${invocation}.4`, [254]])
  const [record] = await records()
  const spans = record?.spans.map(({ parent, task, mode, route, pooled, error }) => ({
    parent,
    task,
    mode,
    route,
    pooled,
    error,
  }))
  const call = { parent: 0, mode: 'call', route: 'inline' }
  expect(spans).toMatchObject([
    { parent: -1, task: 'work' },
    { ...call, task: 'helper', pooled: true },
    { ...call, task: 'helper', pooled: true, error: 'Error: no help with -1' },
    { ...call, task: 'flip', pooled: true },
    { ...call, task: 'helper', pooled: undefined },
    { ...call, task: 'flip', pooled: undefined },
  ])
})

test.each([
  ['one core', { work: { ...forks.work, memory: 1769 } }],
  ['a loop', { work: { ...forks.work, parallel: 'loop' as const } }],
  ['threads', { work: { ...forks.work, parallel: 'threads' as const } }],
])('branches of a function with %s stay on its event loop', async (_, change) => {
  const { ask, records } = await started(change)
  const { results, invocation } = await ask({ together: [4] })
  expect(results).toEqual([[`8 ${invocation}.1`, [251]]])
  const [record] = await records()
  expect(record?.spans.map(({ pooled }) => pooled)).toEqual([undefined, undefined, undefined])
})

test('processes of a sandbox are in its control group, and end with it', async () => {
  const { ask, records } = await started(forks)
  await ask({ together: [1, 2] })
  const [record] = await records()
  const members = membersOf(record?.sandbox as string)
  expect(members).toHaveLength(2)
  const [sandbox] = new Set(members.map((pid) => Number(/^PPid:\t(\d+)$/m.exec(told(pid, 'status'))?.[1])))
  for (const pid of members) expect(told(pid, 'cgroup')).toBe(told(sandbox as number, 'cgroup'))
  process.kill(sandbox as number, 'SIGKILL')
  while (members.some((pid) => existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(told(pid, 'status')))) await pause(5)
  // Until the engine knows of the end, whoever asks is told that the sandbox crashed.
  await vi.waitFor(async () => expect((await ask({ together: [3] })).results).toHaveLength(1), 10_000)
})

/** Processes that the system knows as members of the sandbox's pool. */
function membersOf(sandbox: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const isMember = (environment: string) =>
    environment.includes('FUSIONIZE_MEMBER=') && environment.includes(`"sandbox":"${sandbox}"`)
  return pids.map(Number).filter((pid) => isMember(told(pid, 'environ')))
}

function told(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It ended meanwhile.
    return ''
  }
}
