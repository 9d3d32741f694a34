import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '@fusionize/platform'
import fc from 'fast-check'
import type { Mode, StaticEdge } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { taskFile, testApp } from './test-app.js'

async function edgesOf(files: Record<string, string>): Promise<Record<string, Mode[]>> {
  const { builder } = await testApp(files)
  const { edges } = await builder.scan()
  return Object.fromEntries(edges.map((edge: StaticEdge) => [`${edge.from} -> ${edge.to}`, edge.modes]))
}

describe('the tasks of an app', () => {
  test('are read with their options, without running the code', async () => {
    const { builder } = await testApp({
      'tasks/deep/b.ts': `import { task as define } from 'fusionize'
const minute = 60 * 1000
throw new Error('this must not run')
export const b = define('b-task', {
  http: 'POST /b/:id', input: makeSchema(), timeout: 2 * minute, retries: 0, isolate: true,
  memory: { min: 128, max: 2 ** 10 }, permissions: ['s3:Get' + 'Object'],
}, async () => {}) satisfies unknown`,
      'tasks/a.mts': taskFile('a'),
      'tasks/a.test.ts': taskFile('not-a-task'),
      'tasks/types.d.ts': 'declare const x: number',
      'tasks/helper.ts': 'export const one = 1',
    })
    const app = await builder.scan()
    expect(Object.keys(app.tasks)).toEqual(['a', 'b-task'])
    expect(app.tasks['b-task']).toEqual({
      name: 'b-task',
      file: 'tasks/deep/b.ts',
      line: 4,
      http: { method: 'POST', path: '/b/:id' },
      timeoutMs: 120_000,
      retries: 0,
      isolate: true,
      memory: { min: 128, max: 1024 },
      permissions: ['s3:GetObject'],
      hasSchema: true,
    })
  })

  test('may lie in several folders, some of them links', async () => {
    const app = await testApp({
      'tasks/a.ts': taskFile('a', 'return b(1)', `import b from './more/b'`),
      'shared/b.ts': taskFile('b'),
    })
    await symlink(join(app.dir, 'shared'), join(app.dir, 'tasks', 'more'))
    const { tasks, edges } = await app.builder.scan()
    expect(Object.values(tasks).map(({ file }) => file)).toEqual(['tasks/a.ts', 'shared/b.ts'])
    expect(edges).toEqual([{ from: 'a', to: 'b', modes: ['call'] }])
  })

  test('may be JavaScript and may use the namespace of fusionize', async () => {
    const { builder } = await testApp({
      'tasks/a.js': `import * as f from 'fusionize'\nconst a = f.task('a', async () => {})\nexport { a as default }`,
    })
    expect(Object.keys((await builder.scan()).tasks)).toEqual(['a'])
  })
})

describe('the edges of an app', () => {
  test('have the modes in which the task is used', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': taskFile(
        'a',
        `await b(1); void c.send(2); await d!.map([1]); await (b as any)?.map([2]); return [1].map(d.send), e.taskName`,
        `import b from './b'\nimport { default as c } from './c'\nimport d from './d'\nimport e from './e'`,
      ),
      'tasks/b.ts': taskFile('b'),
      'tasks/c.ts': taskFile('c'),
      'tasks/d.ts': taskFile('d'),
      'tasks/e.ts': taskFile('e'),
    })
    expect(edges).toEqual({ 'a -> b': ['call', 'map'], 'a -> c': ['send'], 'a -> d': ['send', 'map'] })
  })

  test('have all modes when the task goes where the scan cannot follow', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': taskFile('a', 'return use(b, input.map(c))', `import b from './b'\nimport c from './c'`).replace(
        'export default',
        'const use = (...x: any[]) => x\nexport default',
      ),
      'tasks/b.ts': taskFile('b', `const { default: c } = await import('./c'); return c`),
      'tasks/c.ts': taskFile('c'),
    })
    expect(edges).toEqual({
      'a -> b': ['call', 'send', 'map'],
      'a -> c': ['call', 'send', 'map'],
      'b -> c': ['call', 'send', 'map'],
    })
  })

  test('include recursion and cycles of tasks', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': `import { task } from 'fusionize'
import b from './b'
export const a = task('a', async (n: number): Promise<number> => (n > 1 ? await a(n - 1) : await b(n)))`,
      'tasks/b.ts': taskFile(
        'b',
        'await a.send(1); return self.map([])',
        `import { a } from './a'\nimport self from './b'`,
      ),
    })
    expect(edges).toEqual({ 'a -> a': ['call'], 'a -> b': ['call'], 'b -> a': ['send'], 'b -> b': ['map'] })
  })

  test('lead through helper files, but not through other tasks', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': taskFile('a', 'return help(input)', `import { help } from '../lib/help.js'`),
      'lib/help.ts': `export * from './deeper'`,
      'lib/deeper.ts': `import b from '../tasks/b'\nexport const help = (x: unknown) => b.send(x)`,
      'tasks/b.ts': taskFile('b', 'return c(1)', `import c from './c'`),
      'tasks/c.ts': taskFile('c'),
    })
    expect(edges).toEqual({ 'a -> b': ['send'], 'b -> c': ['call'] })
  })

  test('through a file of re-exports are those that the importing file uses', async () => {
    const barrel = `export { default as b } from './b'\nexport * from './c'\nimport d from './d'\nexport { d }\nexport * as all from './c'`
    const edges = await edgesOf({
      'tasks/a.ts': taskFile('a', 'await b(1); return c.send(1)', `import { b, c } from './barrel'`),
      'tasks/n.ts': taskFile('n', 'await t.d(1); return t.all.c', `import * as t from './barrel'`),
      'tasks/barrel.ts': barrel,
      'tasks/b.ts': taskFile('b'),
      'tasks/c.ts': taskFile('c').replace('export default', 'export const c ='),
      'tasks/d.ts': taskFile('d'),
    })
    expect(edges).toEqual({
      'a -> b': ['call'],
      'a -> c': ['send'],
      'n -> c': ['call', 'send', 'map'],
      'n -> d': ['call'],
    })
  })

  test('do not come from types or from names that hide the task', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': taskFile(
        'a',
        `const f = (b: any) => b(1)
         { const c = { send() {} }; c.send() }
         try { f(1) } catch (d) { (d as any).map([]) }
         for (const b of []) (b as any)()
         const e: typeof b = 1 as any, { c: g = 1 } = { c: 2 }
         class X { b = 1; c() { return this.b } }
         function h() { var d: any = 1; return d() }
         return { b: 1, c: input.d, e, g, h, X } as unknown as Result`,
        `import b, { type Result } from './b'\nimport type c from './c'\nimport { Other } from './d'`,
      ),
      'tasks/b.ts': `${taskFile('b')}\nexport type Result = string`,
      'tasks/c.ts': taskFile('c'),
      'tasks/d.ts': `${taskFile('d')}\nexport type Other = string`,
    })
    expect(edges).toEqual({})
  })

  test('follow the paths of tsconfig.json and the imports of package.json', async () => {
    const edges = await edgesOf({
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      'package.json': '{ "name": "x", "type": "module", "imports": { "#lib/*": "./src/*.ts" } }',
      'tasks/a.ts': taskFile('a', 'return help(b)', `import { help } from '@/help'\nimport b from '#lib/to-b'`),
      'src/help.ts': `export const help = (x: unknown) => x`,
      'src/to-b.ts': `import b from '../tasks/b'\nexport default () => b.send(1)`,
      'tasks/b.ts': taskFile('b'),
    })
    expect(edges).toEqual({ 'a -> b': ['send'] })
  })

  test('of generated call graphs are found exactly, however the imports lead', async () => {
    const names = ['t0', 't1', 't2', 't3', 't4'] as const
    const use = fc.record({
      from: fc.constantFrom(...names),
      to: fc.constantFrom(...names),
      mode: fc.constantFrom<Mode>('call', 'send', 'map'),
      by: fc.constantFrom('direct', 'barrel', 'namespace', 'helper'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 12 }), async (uses) => {
        const files: Record<string, string> = {
          'lib/barrel.ts': names.map((n) => `export { default as ${n} } from '../tasks/${n}'`).join('\n'),
        }
        const expected: Record<string, Set<Mode>> = {}
        for (const [i, { from, to, mode }] of uses.entries()) {
          expected[`${from} -> ${to}`] = (expected[`${from} -> ${to}`] ?? new Set()).add(mode)
          files[`lib/help${i}.ts`] =
            `import x from '../tasks/${to}'\nexport const help${i} = () => ${invocation('x', mode)}`
        }
        for (const name of names) {
          const own = uses.map((u, i) => ({ ...u, i })).filter((u) => u.from === name)
          const imports = own.map(({ by, to, i }) =>
            by === 'direct'
              ? `import u${i} from './${to}'`
              : by === 'barrel'
                ? `import { ${to} as u${i} } from '../lib/barrel'`
                : by === 'namespace'
                  ? `import * as u${i} from '../lib/barrel'`
                  : `import { help${i} } from '../lib/help${i}'`,
          )
          const body = own.map(({ by, to, mode, i }) =>
            by === 'helper'
              ? `await help${i}()`
              : `await ${invocation(by === 'namespace' ? `u${i}.${to}` : `u${i}`, mode)}`,
          )
          files[`tasks/${name}.ts`] = taskFile(name, body.join('\n'), imports.join('\n'))
        }
        const found = await edgesOf(files)
        expect(found).toEqual(
          Object.fromEntries(
            Object.entries(expected).map(([edge, modes]) => [
              edge,
              (['call', 'send', 'map'] as const).filter((mode) => modes.has(mode)),
            ]),
          ),
        )
      }),
      { numRuns: 30 },
    )
  })
})

describe('a scan', () => {
  test('accepts a task that its own file mentions after defining it, and lazy imports in a cycle', async () => {
    const edges = await edgesOf({
      'tasks/a.ts': `import { task } from 'fusionize'
import b from './b'
const a = task('a', async (input: string) => input)
const known = [a, b]
export default a`,
      'tasks/b.ts': taskFile('b', `return (await import('./a')).default`),
    })
    expect(Object.keys(edges)).toEqual(['a -> a', 'a -> b', 'b -> a'])
  })

  test('sees a change of a file the next time', async () => {
    const { builder, write } = await testApp({ 'tasks/a.ts': taskFile('a') })
    expect(Object.keys((await builder.scan()).tasks)).toEqual(['a'])
    await write({ 'tasks/a.ts': taskFile('renamed') })
    expect(Object.keys((await builder.scan()).tasks)).toEqual(['renamed'])
  })

  test('that failed tells what to watch all the same', async () => {
    const { dir, builder } = await testApp({ 'tasks/a.ts': taskFile('a', '(', `import '../lib/b'`), 'lib/b.ts': '' })
    await expect(builder.scan()).rejects.toBeInstanceOf(BuildError)
    expect(builder.inputs()).toEqual([`${dir}/tasks`, `${dir}/tasks/a.ts`])
  })
})

function invocation(task: string, mode: Mode): string {
  return mode === 'call' ? `${task}(1)` : `${task}.${mode}([])`
}
