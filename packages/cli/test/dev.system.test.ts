import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fusionize, makeApp, shop, start } from './support/fusionize.js'

const post = (url: string, name: string) =>
  fetch(`${url}/greetings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(name),
  })

async function serve(dir: string, ...args: string[]) {
  const server = start(['dev', ...args], dir)
  const url = (await server.says(/at (http:\S+)/))[1] as string
  await server.says(/Watching/)
  return { server, url }
}

test('dev serves, logs requests, rebuilds on a change, shows mistakes without stopping, and takes all away at the end', async () => {
  const dir = await makeApp(shop)
  const { server, url } = await serve(dir)
  expect(server.stdout()).toContain(`${url}/greetings`)
  const descriptor = JSON.parse(readFileSync(join(dir, '.fusionize/dev.json'), 'utf8'))
  expect(descriptor).toEqual({ pid: server.child.pid, url })

  expect(await (await post(url, 'Ada')).json()).toBe('Hello Dr Ada')
  await server.says(/POST \/greetings 200 .*2 cold, 0 inline, 1 remote/)
  expect((await post(url, 'nobody')).status).toBe(500)
  await server.says(/POST \/greetings 500 .*TypeError: there is nobody/)

  const title = join(dir, 'tasks/title.ts')
  const source = await readFile(title, 'utf8')
  await writeFile(title, source.replace('Dr', 'Prof'))
  await server.says(/rebuilt tasks\/title.ts {2}new: title/)
  expect(await (await post(url, 'Ada')).json()).toBe('Hello Prof Ada')

  await writeFile(title, `${source}\nexport default`)
  await server.says(/error tasks\/title.ts:\d+:\d+: syntax error[\s\S]*What ran before goes on/)
  expect(await (await post(url, 'Ada')).json()).toBe('Hello Prof Ada')
  await writeFile(title, source)
  await server.says(/rebuilt tasks\/title.ts/)
  expect(await (await post(url, 'Ada')).json()).toBe('Hello Dr Ada')

  const children = childrenOf(server.child.pid as number)
  expect(children.length).toBeGreaterThan(0)
  server.child.kill('SIGINT')
  expect((await server.ended).code).toBe(130)
  expect(existsSync(join(dir, '.fusionize/dev.json'))).toBe(false)
  await expect.poll(() => children.filter(isRunning), { timeout: 5000 }).toEqual([])
})

test('other commands use the running server', async () => {
  const dir = await makeApp(shop)
  const { server, url } = await serve(dir, '--isolation', 'threads')
  expect((await fusionize(['invoke', 'greet', '"Ada"'], dir)).stdout).toBe('"Hello Dr Ada"\n')
  await server.says(/invoke greet 200/)
  const failed = await fusionize(['invoke', 'greet', '"nobody"', '--json'], dir)
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.stdout).error).toMatchObject({
    name: 'TypeError',
    message: 'there is nobody',
    code: 'NOBODY',
  })
  expect(failed.stderr).toMatch(/at .*tasks\/greet\.ts:5:/)
  expect((await fusionize(['invoke', 'reverse', '-', '--bytes'], dir, 'abc')).stdout).toBe('cba')

  const sent = JSON.parse((await fusionize(['send', 'greet', '"Ada"', '--json'], dir)).stdout)
  expect(sent).toMatchObject({ waited: false, dead: [] })
  expect(sent.id).toMatch(/^[0-9a-f]{32}$/)
  const status = JSON.parse((await fusionize(['status', '--json'], dir)).stdout)
  expect(status).toMatchObject({ running: true, url, pid: server.child.pid, platform: 'local' })
  expect(status.functions.map((x: { function: string }) => x.function)).toContain('greet')

  const second = await fusionize(['dev'], dir)
  expect(second.stderr).toContain("'fusionize dev' already runs for shop")
  expect(second.code).toBe(1)
  server.child.kill('SIGTERM')
  expect((await server.ended).code).toBe(143)
})

test('what a killed server left behind is no obstacle', async () => {
  const dir = await makeApp(shop)
  const { server } = await serve(dir)
  server.child.kill('SIGKILL')
  await server.ended
  expect(existsSync(join(dir, '.fusionize/dev.json'))).toBe(true)
  expect((await fusionize(['invoke', 'greet', '"Ada"'], dir)).stdout).toBe('"Hello Dr Ada"\n')
  expect(existsSync(join(dir, '.fusionize/dev.json'))).toBe(false)
})

test('with --json the ready server is one document on stdout, and logs go elsewhere', async () => {
  const dir = await makeApp(shop)
  const server = start(['dev', '--json'], dir)
  await server.says(/^}/m)
  const ready = JSON.parse(server.stdout())
  expect(ready).toMatchObject({
    app: 'shop',
    adopted: false,
    entries: [{ task: 'greet', method: 'POST' }, { task: 'reverse' }],
  })
  await post(ready.url, 'Ada')
  await server.says(/POST \/greetings 200/)
  server.child.kill('SIGINT')
  expect(JSON.parse((await server.ended).stdout)).toEqual(ready)
})

test('a port that is taken is said so', async () => {
  const dir = await makeApp(shop)
  const { url } = await serve(dir)
  const other = await makeApp(shop)
  const { code, stderr } = await fusionize(['dev', '--port', new URL(url).port], other)
  expect(stderr).toMatch(/port \d+ .* taken.*--port/)
  expect(code).toBe(1)
})

test('dev reports a task that changes its input, and logs --follow shows it in another terminal', async () => {
  const dir = await makeApp({
    ...shop,
    'tasks/title.ts': `
      import { task } from 'fusionize'
      export default task('title', async (name: string) => name)`,
    'tasks/sort.ts': `
      import { task } from 'fusionize'
      export default task('sort', { http: 'POST /sorted' }, async (list: number[]) => list.sort((a, b) => a - b))`,
  })
  const { server, url } = await serve(dir)
  const logs = start(['logs', '--follow', '--level', 'warn', '--json'], dir)
  await fetch(`${url}/sorted`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[2,1]' })
  await server.says(/warn +sort task 'sort' changes its input/)
  const [line] = await logs.says(/^\{.*\}$/m)
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', task: 'sort' })
  logs.child.kill('SIGINT')
  expect((await logs.ended).code).toBe(130)
})

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** What ended and waits for its parent to notice does not run any more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
