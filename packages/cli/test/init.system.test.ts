import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fusionize, makeApp, start } from './support/fusionize.js'

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const run = promisify(execFile)

test('the generated project type-checks, passes its own tests, and answers under dev', async () => {
  const parent = await makeApp({})
  const made = await fusionize(['init', 'my-shop', '--json'], parent)
  expect(made).toMatchObject({ code: 0 })
  const dir = join(parent, 'my-shop')
  const { files, name } = JSON.parse(made.stdout)
  expect(name).toBe('my-shop')
  expect(files).toEqual(
    expect.arrayContaining(['.gitignore', 'README.md', 'fusionize.config.ts', 'package.json', 'tsconfig.json']),
  )
  const { devDependencies, scripts } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))
  expect(Object.keys(devDependencies)).toContain('vitest')

  // what npm install would make, without the time it takes
  await mkdir(join(dir, 'node_modules'))
  for (const entry of await readdir(modules)) await symlink(join(modules, entry), join(dir, 'node_modules', entry))
  const bin = (path: string, ...args: string[]) => run(process.execPath, [join(modules, path), ...args], { cwd: dir })
  expect(scripts).toMatchObject({ dev: 'fusionize dev', test: 'vitest run', check: 'tsc --noEmit' })
  await bin('typescript/bin/tsc', '--noEmit')
  expect((await bin('vitest/vitest.mjs', 'run')).stdout).toMatch(/3 passed/)

  const server = start(['dev', '--port', '0'], dir)
  const url = (await server.says(/POST {2}(http:\S+orders)/))[1] as string
  const body = JSON.stringify({ customer: 'c-1', items: ['apple', 'bread'] })
  const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(await reply.json()).toEqual({ customer: 'c-1', total: 380 })
  await server.says(/receipt for c-1: 3.80/)
  server.child.kill('SIGINT')
  expect((await server.ended).code).toBe(130)
})

test('init overwrites nothing', async () => {
  const dir = await makeApp({})
  await writeFile(join(dir, 'README.md'), 'mine')
  const { code, stderr } = await fusionize(['init'], dir)
  expect(stderr).toContain('already has README.md; choose another folder, nothing was written')
  expect(code).toBe(1)
  expect((await readdir(dir)).sort()).toEqual(['README.md', 'node_modules'])
})

test('init refuses a name that is none for a package', async () => {
  const { code, stderr } = await fusionize(['init', 'x', '--name', 'My Shop'], await makeApp({}))
  expect(stderr).toContain("'My Shop' is no name for a package")
  expect(code).toBe(1)
})
