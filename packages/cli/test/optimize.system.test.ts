import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

const files = {
  'package.json': JSON.stringify({ name: 'tiny', type: 'module' }),
  'fusionize.config.ts': `
    import { defineConfig } from 'fusionize'
    export default defineConfig({
      app: 'tiny',
      memory: 512,
      load: {
        request: (index, random) => ({ task: 'hello', input: { name: 'n' + index, dice: random() } }),
        profiles: { steady: { kind: 'steady', rps: 20, seconds: 2 } },
      },
    })`,
  'tasks/hello.ts': `
    import { task } from 'fusionize'
    import note from './note'
    import shout from './shout'
    export default task('hello', { http: 'POST /hello' }, async (input: { name: string; dice: number }) => {
      await note.send({ name: input.name })
      return { text: await shout({ text: input.name }) }
    })`,
  'tasks/shout.ts': `
    import { task } from 'fusionize'
    export default task('shout', async (input: { text: string }) => input.text.toUpperCase())`,
  'tasks/note.ts': `
    import { task } from 'fusionize'
    export default task('note', async (input: { name: string }) => ({ length: input.name.length }))`,
}

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fusionize-tiny-'))
  await mkdir(join(dir, 'tasks'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  await symlink(modules, join(dir, 'node_modules'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

interface Run {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves when stderr holds the words. */
  says(words: RegExp): Promise<void>
  ended: Promise<number | null>
}

function fusionize(...args: string[]): Run {
  const child = spawn(process.execPath, [main, ...args, '--cwd', dir], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const waiting: { words: RegExp; done: () => void }[] = []
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
    for (const { words, done } of waiting) if (words.test(stderr)) done()
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    says: (words) =>
      Promise.race([
        new Promise<void>((done) => (words.test(stderr) ? done() : waiting.push({ words, done }))),
        ended.then(() => Promise.reject(new Error(`ended before it said ${words}:\n${stderr}`))),
      ]),
    ended,
  }
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** A process that is only waiting to be collected is gone. */
function lives(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

const few = ['--requests', '20', '--max-rounds', '3']

test('Ctrl-C ends a run with 130 and leaves nothing running; the next run goes on where it was', async () => {
  const first = fusionize('optimize', ...few)
  // The second round is under way, so the first one is kept.
  await first.says(/measuring[\s\S]*✓[\s\S]*measuring/)
  const pids = descendants(first.child.pid as number)
  expect(pids.length).toBeGreaterThan(0)
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(130)
  expect(first.stderr()).toMatch(/goes on from there/)
  expect(pids.filter(lives)).toEqual([])

  const second = fusionize('optimize', ...few)
  expect(await second.ended, second.stderr()).toBe(0)
  expect(second.stderr()).toMatch(/Going on after \d+ rounds? of run/)
})

test('--json prints one document: the setups in order, without errors, and the adopted one is what dev serves next', async () => {
  const run = fusionize('optimize', ...few, '--fresh', '--json')
  expect(await run.ended, run.stderr()).toBe(0)
  const document = JSON.parse(run.stdout())
  expect(document).toMatchObject({ app: 'tiny', platform: 'local', emulate: null, goal: { minimize: 'balanced' } })
  expect(document.setups.length).toBeGreaterThanOrEqual(2)
  for (const setup of document.setups) {
    expect(setup).toMatchObject({ strategy: 'closure', requests: 20, errors: 0 })
    expect(setup.p50Ms).toBeGreaterThan(0)
    // Everything that the requests caused was counted, the work of the sends included, and nothing of the warm-up.
    expect(setup.invocations % 20).toBe(0)
  }
  expect(document.setups[0].invocationsPerRequest).toBe(3)
  if (document.cpuShareEnforced) expect(document.setups[0].costPerMillionUsd).toBeGreaterThan(0)
  else expect(document.costReason).not.toBe('')
  const adopted = JSON.parse(readFileSync(join(dir, '.fusionize/setup.json'), 'utf8'))
  expect(adopted.id).toBe(document.bestId)
  const page = readFileSync(join(dir, '.fusionize/report.html'), 'utf8')
  expect(page).toContain('tiny')
  expect(page).not.toMatch(/NaN|undefined/)
})

test('graph shows the figures of the last run, and draws the current setup', async () => {
  const text = fusionize('graph', '--setup', '(hello)@512-(note)@512-(shout)@512')
  expect(await text.ended, text.stderr()).toBe(0)
  expect(text.stdout()).toMatch(/hello POST \/hello .*512 MB.*1×.*ms\n├─ shout +call +remote 512 MB +1×/)
  const drawing = fusionize('graph', '--svg', '-')
  expect(await drawing.ended).toBe(0)
  expect(drawing.stdout()).toMatch(/^<svg[\s\S]*<\/svg>\n$/)
  const json = fusionize('graph', '--json')
  expect(await json.ended).toBe(0)
  const { profile } = JSON.parse(json.stdout())
  const own = profile.ownTimes.find(({ task }: { task: string }) => task === 'hello')
  expect(own).toMatchObject({ runs: own.p50Ms.n, p50Ms: { value: expect.any(Number) } })
  expect(profile.calls.map(({ from, to }: { from: string; to: string }) => `${from}>${to}`)).toContain('hello>shout')
})

test('an unknown strategy and a flag with a slip are told what there is', async () => {
  const strategy = fusionize('optimize', '--strategy', 'closur')
  expect(await strategy.ended).toBe(1)
  expect(strategy.stderr()).toMatch(/no strategy 'closur', did you mean 'closure'\?/)
  const flag = fusionize('optimize', '--requets', '3')
  expect(await flag.ended).toBe(2)
  expect(flag.stderr()).toMatch(/did you mean '--requests'/)
})
