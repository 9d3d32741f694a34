import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fusionize, makeApp } from './support/fusionize.js'

const hello = `import { task } from 'fusionize'\nexport default task('hello', async (name: string) => name)\n`

/** One mistake each; `says` is the line that names it, `remedy` what to do about it. */
const broken: Record<string, { files: Record<string, string>; says: string; remedy: string }> = {
  'a syntax error': {
    files: { 'tasks/hello.ts': `import { task } from 'fusionize'\nexport default task('hello', async () => {\n` },
    says: 'tasks/hello.ts:3:1: syntax error',
    remedy: 'correct the syntax here',
  },
  'two tasks of one name': {
    files: { 'tasks/hello.ts': hello, 'tasks/other.ts': hello },
    says: "tasks/other.ts:2:16: task 'hello' is defined a second time (first in tasks/hello.ts)",
    remedy: 'rename one of them',
  },
  'an unknown option in the configuration': {
    files: { 'tasks/hello.ts': hello, 'fusionize.config.ts': `export default { locl: { port: 1 } }` },
    says: "fusionize.config.ts: unknown option 'locl', did you mean 'local'?",
    remedy: 'options are app, tasks,',
  },
  'a call before any request': {
    files: {
      'tasks/hello.ts': hello,
      'tasks/early.ts': `import { task } from 'fusionize'\nimport hello from './hello'\n\nconst greeting = await hello('you')\nexport default task('early', async () => greeting)\n`,
    },
    says: "tasks/early.ts:4:24: task 'hello' is called while the file loads, before any request",
    remedy: 'call it inside a task',
  },
  'an import of what is not exported': {
    files: {
      'lib/names.ts': `export const first = 'Ada'\n`,
      'tasks/hello.ts': `import { task } from 'fusionize'\nimport { last } from '../lib/names'\nexport default task('hello', async () => last)\n`,
    },
    says: "tasks/hello.ts:2:10: lib/names.ts has no export 'last'",
    remedy: 'correct the name, or export it there',
  },
  'a configuration that throws': {
    files: {
      'tasks/hello.ts': hello,
      'fusionize.config.ts': `interface Limits { memory: number }\n\nconst limits = JSON.parse('null') as Limits\nexport default { memory: limits.memory }\n`,
    },
    says: 'fusionize.config.ts:4:33: the configuration failed while it was loaded: TypeError',
    remedy: 'make it load without an error',
  },
  'no task at all': {
    files: { 'tasks/readme.md': 'soon' },
    says: 'no file in tasks/ defines a task',
    remedy: "create one with: import { task } from 'fusionize'",
  },
  'constraints that no setup can keep': {
    files: {
      'tasks/hello.ts': hello,
      'fusionize.config.ts': `export default { constraints: { isolate: ['helo'] } }`,
    },
    says: "constraints.isolate names 'helo', which is no task of the app, did you mean 'hello'?",
    remedy: 'correct the configuration',
  },
}

test.each(Object.keys(broken))('%s: build says where, what and what to do, and exits with 1', async (name) => {
  const { files, remedy, says } = broken[name] as (typeof broken)[string]
  const dir = await makeApp(files)
  const { code, stderr, stdout } = await fusionize(['build'], dir)
  expect(stderr).toContain(`error ${says}`)
  expect(stderr).toContain(remedy)
  expect(stderr.match(/^error /gm)).toHaveLength(1)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test.each(['dev', 'invoke hello', 'send hello', 'graph'])('a broken app fails %s in the same words', async (line) => {
  const { files, says } = broken['two tasks of one name'] as (typeof broken)[string]
  const dir = await makeApp({ ...files, 'fusionize.config.ts': 'export default { local: { port: 0 } }' })
  const { code, stderr } = await fusionize(line.split(' '), dir)
  expect(stderr).toContain(`error ${says}`)
  expect(code).toBe(1)
})

test('with --json the mistakes are one document, each with its place', async () => {
  const dir = await makeApp({ 'tasks/hello.ts': hello, 'tasks/other.ts': hello })
  const { code, stdout } = await fusionize(['build', '--json'], dir)
  expect(code).toBe(1)
  const { error } = JSON.parse(stdout)
  expect(error.code).toBe('BUILD_FAILED')
  expect(error.problems).toMatchObject([{ kind: 'duplicate-task', file: 'tasks/other.ts', line: 2, column: 16 }])
})

test('a folder that is not there is said so', async () => {
  const dir = await makeApp({})
  const { code, stderr } = await fusionize(['build', '--cwd', 'nowhere'], dir)
  expect(stderr).toContain(`there is no folder ${join(dir, 'nowhere')}`)
  expect(code).toBe(1)
})
