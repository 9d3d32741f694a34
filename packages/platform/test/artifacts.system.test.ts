import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Artifact, BuildError } from '@fusionize/platform'
import { allFusedSetup, parseSetup, remoteSetup } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { builderFor, type TestApp, taskFile, testApp } from './test-app.js'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** Greets by calling two tasks, one of them through a helper. */
const greeting = {
  'tasks/greet.ts': taskFile(
    'greet',
    'return [await title(input), await shout(input)].join(" and ")',
    `import title from './title'\nimport { shout } from '../lib/shouting'`,
    `{ http: 'POST /greet' }`,
  ),
  'tasks/title.ts': taskFile('title', 'return "Dr. " + input + mark', `import { mark } from '../lib/mark'`),
  'tasks/shout.ts': `import { task } from 'fusionize'
export const shout = task('shout', async (text: string): Promise<string> => (await loud(text)))
const loud = async (text: string) => text.toUpperCase()`,
  'lib/shouting.ts': `export { shout } from '../tasks/shout'`,
  'lib/mark.ts': `export const mark: string = '!'`,
}

async function remote(app: TestApp) {
  return app.builder.build(remoteSetup(await app.builder.scan(), 128))
}

async function fused(app: TestApp) {
  return app.builder.build(allFusedSetup(await app.builder.scan(), 128))
}

async function outcome(artifact: Artifact | undefined, input: unknown): Promise<unknown> {
  const env = { ...process.env, INPUT: JSON.stringify(input) }
  const { stdout } = await run(process.execPath, ['--enable-source-maps', (artifact as Artifact).file], { env })
  const reply = JSON.parse(stdout) as { ok: boolean; output?: string; error?: unknown }
  return reply.ok ? JSON.parse(reply.output as string) : reply.error
}

const filesOf = async ({ file }: Artifact) => Promise.all([readFile(file, 'utf8'), readFile(`${file}.map`, 'utf8')])

describe('an artifact', () => {
  test('has the code of the tasks it runs inline and stubs of all others', async () => {
    const app = await testApp(greeting)
    const apart = await remote(app)
    expect(Object.keys(apart.artifacts)).toEqual(['greet', 'shout', 'title'])
    expect(apart.artifacts.greet?.tasks).toEqual(['greet'])
    expect(await outcome(apart.artifacts.greet, 'ada')).toBe('remote title and remote shout')
    expect(await outcome(apart.artifacts.title, 'ada')).toBe('Dr. ada!')
    const [code] = await filesOf(apart.artifacts.greet as Artifact)
    expect(code).not.toContain('Dr. ')
    expect(code).not.toContain('toUpperCase()')

    const together = await fused(app)
    expect(Object.keys(together.artifacts)).toEqual(['greet'])
    expect(together.artifacts.greet?.tasks).toEqual(['greet', 'shout', 'title'])
    expect(await outcome(together.artifacts.greet, 'ada')).toBe('Dr. ada! and ADA')
  })

  test('is the same to the byte wherever the app lies, and tells nothing about the place', async () => {
    const [one, other] = [await testApp(greeting), await testApp({})]
    const moved = join(other.dir, 'deeper', 'down')
    await mkdir(dirname(moved))
    await cp(one.dir, moved, { recursive: true })
    const a = await fused(one)
    const b = await builderFor(moved).build(a.setup)
    expect(b.artifacts.greet?.hash).toBe(a.artifacts.greet?.hash)
    const files = await filesOf(a.artifacts.greet as Artifact)
    expect(await filesOf(b.artifacts.greet as Artifact)).toEqual(files)
    for (const text of files) for (const place of [one.dir, process.cwd()]) expect(text).not.toContain(place)
  })

  test('of an error points into the TypeScript source', async () => {
    const app = await testApp({
      'tasks/fail.ts': `import { task } from 'fusionize'
import split from 'split2'

interface Input {
  reason: string
}

export default task('fail', async (input: Input) => {
  split()
  await Promise.resolve()
  throw new RangeError(input.reason)
})
`,
    })
    await install(app, 'split2')
    const { artifacts } = await remote(app)
    const error = (await outcome(artifacts.fail, { reason: 'no more' })) as { stack: string; message: string }
    expect(error.message).toBe('no more')
    expect(error.stack.split('\n')[1]).toMatch(/\/tasks\/fail\.ts:11:9\)?$/)
  })
})

test('a file that reads what lies beside it finds it from any artifact', async () => {
  const app = await testApp({
    'tasks/a.ts': taskFile('a', 'return motto', `import { motto } from '../lib/deep #1 100%/motto'`),
    'tasks/b.ts': taskFile('b', 'return import.meta.filename + import.meta.dirname'),
    'lib/deep #1 100%/motto.ts': `import { readFileSync } from 'node:fs'
export const motto = readFileSync(new URL('./motto.txt', import.meta.url), 'utf8')`,
    'lib/deep #1 100%/motto.txt': 'small is fine',
  })
  const { a, b } = (await remote(app)).artifacts
  expect(await outcome(a, null)).toBe('small is fine')
  expect(await outcome(b, null)).toBe(`${app.dir}/tasks/b.ts${app.dir}/tasks`)
})

test('an import of a task that names only types brings no code along, even when TypeScript is told to keep imports', async () => {
  const app = await testApp({
    'tsconfig.json': '{ "compilerOptions": { "verbatimModuleSyntax": true } }',
    'tasks/a.ts': taskFile('a', 'return input', `import b from './b'`),
    'tasks/b.ts': taskFile('b', 'return "the code of b"'),
  })
  const { artifacts } = await remote(app)
  expect(await outcome(artifacts.a, 1)).toBe(1)
  const [code] = await filesOf(artifacts.a as Artifact)
  expect(code).not.toContain('the code of b')
})

describe('npm packages', () => {
  test('of CommonJS do not clash with a require of the app', async () => {
    const app = await testApp({
      'tasks/a.ts': taskFile(
        'a',
        'return [require("./data.json"), typeof split]',
        `import { createRequire } from 'node:module'
import split from 'split2'
const require = createRequire(import.meta.url)`,
      ),
      'tasks/data.json': '{ "n": 1 }',
    })
    await install(app, 'split2')
    expect(await outcome((await remote(app)).artifacts.a, null)).toEqual([{ n: 1 }, 'function'])
  })

  test('that are optional may be absent', async () => {
    const app = await testApp({
      'tasks/a.ts': taskFile(
        'a',
        'return [typeof fast, plain]',
        `import { plain } from 'plain'
let fast: unknown
try { fast = await import('not-installed') } catch {}`,
      ),
      'node_modules/plain/package.json': '{ "name": "plain" }',
      'node_modules/plain/index.js': 'try { exports.plain = require("absent") } catch { exports.plain = "slow" }',
    })
    const { a } = (await remote(app)).artifacts
    expect(await outcome(a, null)).toEqual(['undefined', 'slow'])
  })

  test('of plain CommonJS are bundled and find the built-in modules they require', async () => {
    const app = await testApp({
      'tasks/lines.ts': taskFile(
        'lines',
        `const lines: string[] = []
         for await (const line of Readable.from([input]).pipe(split())) lines.push(line)
         return lines`,
        `import { Readable } from 'node:stream'\nimport split from 'split2'`,
      ),
    })
    await install(app, 'split2')
    const { lines } = (await remote(app)).artifacts
    await rename(join(app.dir, 'node_modules'), join(app.dir, 'gone'))
    expect(lines?.externals).toEqual([])
    expect(await outcome(lines, 'one\ntwo')).toEqual(['one', 'two'])
  })

  test('with machine code stay outside and are found at run time', async () => {
    const app = await testApp({
      'tasks/parse.ts': taskFile(
        'parse',
        'return parseSync("a.js", input).program.body.length',
        `import { parseSync } from 'oxc-parser'`,
      ),
      'tasks/min.ts': taskFile(
        'min',
        'return (await transform(input, { minify: true })).code',
        `import { transform } from 'esbuild'`,
      ),
    })
    await mkdir(join(app.dir, 'node_modules'))
    for (const name of ['oxc-parser', 'esbuild']) await symlink(packageDir(name), join(app.dir, 'node_modules', name))
    const { parse, min } = (await remote(app)).artifacts
    expect([parse?.externals, min?.externals]).toEqual([['oxc-parser'], ['esbuild']])
    expect(await outcome(parse, 'a; b')).toBe(2)
    expect(await outcome(min, 'let a = 1 + 2')).toBe('let a=3;\n')
  })

  test('that read files beside their code stay outside, also when only another package knows them', async () => {
    const app = await testApp({
      'tasks/quote.ts': taskFile('quote', 'return quote()', `import { quote } from 'quotes'`),
      'node_modules/quotes/package.json': '{ "name": "quotes", "main": "index.js" }',
      'node_modules/quotes/index.js': 'exports.quote = () => "> " + require("quote-data").text',
      'node_modules/quotes/node_modules/quote-data/package.json': '{ "name": "quote-data" }',
      'node_modules/quotes/node_modules/quote-data/index.js':
        'exports.text = require("fs").readFileSync(require("path").join(__dirname, "text.txt"), "utf8")',
      'node_modules/quotes/node_modules/quote-data/text.txt': 'to be',
    })
    const { quote } = (await remote(app)).artifacts
    expect(quote?.externals).toEqual(['quote-data'])
    expect(await outcome(quote, null)).toBe('> to be')
  })
})

describe('a second build', () => {
  test('of the same setup builds nothing, by another builder in another place too', async () => {
    const app = await testApp(greeting)
    const first = await remote(app)
    expect(first.built).toEqual(['greet', 'shout', 'title'])
    const again = await remote(app)
    expect(again.built).toEqual([])
    expect(again.artifacts).toEqual(first.artifacts)
    const moved = await testApp({})
    await cp(app.dir, moved.dir, { recursive: true })
    expect((await remote({ ...moved, builder: builderFor(moved.dir) })).built).toEqual([])
  })

  test('after a change builds the functions that contain it', async () => {
    const app = await testApp(greeting)
    const first = await remote(app)
    await app.write({ 'lib/mark.ts': `export const mark: string = '?'` })
    const second = await remote(app)
    expect(second.built).toEqual(['title'])
    expect(second.artifacts.title?.hash).not.toBe(first.artifacts.title?.hash)
    expect(await outcome(second.artifacts.title, 'ada')).toBe('Dr. ada?')
    await app.write({ 'lib/mark.ts': greeting['lib/mark.ts'] })
    expect((await remote(app)).artifacts).toEqual(first.artifacts)
  })

  test('after a new file took the place of another builds the functions that import it', async () => {
    const app = await testApp({
      ...greeting,
      'tasks/other.ts': taskFile(
        'other',
        'return mark',
        `import { mark } from '../lib/mark/index'`,
        `{ http: 'GET /' }`,
      ),
      'lib/mark/index.ts': `export const mark = '.'`,
      'lib/mark.ts': '',
    })
    await rename(join(app.dir, 'lib/mark.ts'), join(app.dir, 'lib/nothing.ts'))
    expect(await outcome((await remote(app)).artifacts.title, 'ada')).toBe('Dr. ada.')
    await app.write({ 'lib/mark.ts': greeting['lib/mark.ts'] })
    const second = await remote(app)
    expect(second.built).toEqual(['title'])
    expect(await outcome(second.artifacts.title, 'ada')).toBe('Dr. ada!')
  })

  test('after a change of package.json looks again and ends with the same artifacts', async () => {
    const app = await testApp({ ...greeting, 'package.json': '{}' })
    const first = await remote(app)
    await app.write({ 'package.json': '{ "name": "greeting" }' })
    const second = await remote(app)
    expect(second.built).toEqual(first.built)
    expect(second.artifacts).toEqual(first.artifacts)
  })

  test('makes good an artifact that was damaged or deleted', async () => {
    const app = await testApp(greeting)
    const { artifacts } = await remote(app)
    await app.write({ [relativeTo(app, artifacts.title as Artifact)]: 'broken' })
    await rename(dirname((artifacts.shout as Artifact).file), join(app.dir, 'gone'))
    const again = await remote(app)
    expect(again.built).toEqual(['shout', 'title'])
    expect(await outcome(again.artifacts.title, 'ada')).toBe('Dr. ada!')
  })

  test('does not build a function again because another setup was built in between', async () => {
    const app = await testApp(greeting)
    await remote(app)
    expect((await fused(app)).built).toEqual(['greet'])
    expect((await remote(app)).built).toEqual([])
  })

  test('by two builders at once ends with whole artifacts', async () => {
    const app = await testApp(greeting)
    const setup = remoteSetup(await app.builder.scan(), 128)
    const builds = await Promise.all([app.builder, builderFor(app.dir), app.builder].map((b) => b.build(setup)))
    expect(builds[1]?.artifacts).toEqual(builds[0]?.artifacts)
    expect(await outcome(builds[2]?.artifacts.title, 'ada')).toBe('Dr. ada!')
    const left = await readdir(join(app.dir, '.fusionize/build'))
    expect(left.filter((name) => name.startsWith('.'))).toEqual([])
  })
})

test('prune deletes what no kept build uses', async () => {
  const app = await testApp(greeting)
  const [apart, together] = [await remote(app), await fused(app)]
  const deleted = await app.builder.prune([together])
  expect(deleted).toEqual(Object.values(apart.artifacts).map(({ file }) => dirname(file).split('/').at(-1)))
  expect((await stat((together.artifacts.greet as Artifact).file)).isFile()).toBe(true)
  expect((await remote(app)).built).toEqual(['greet', 'shout', 'title'])
})

/** A gallery that joins two parts; counts every click. */
const gallery = {
  'tasks/upload.ts': taskFile(
    'upload',
    'await parts.put("left", input); await parts.put("right", input); await clicks.put(input, 1); return "upload code"',
    `import { clicks } from '../buckets/clicks'\nimport { parts } from '../buckets/parts'`,
    `{ http: 'POST /upload' }`,
  ),
  'tasks/peek.ts': taskFile(
    'peek',
    'return [await parts.get("left")]',
    `import { parts } from '../buckets/parts'`,
    `{ http: 'GET /peek' }`,
  ),
  'tasks/join.ts': taskFile('join', 'return "join code"'),
  'tasks/archive.ts': taskFile('archive', 'return "archive code"'),
  'tasks/count.ts': taskFile('count', 'return "count code"'),
  'buckets/parts.ts': `import { bucket, bySet } from 'fusionize'
import join from '../tasks/join'
import { everyThird } from './every-third'
import archive from '../tasks/archive'
export const parts = bucket<any>('parts').on(bySet(['left', 'right'], { onIncomplete: archive }), join).on(everyThird, archive)`,
  'buckets/every-third.ts': `import { custom } from 'fusionize'
export const everyThird = custom('every-third', {
  scope: 'session',
  initial: 0,
  step: (seen, event) => (event.kind === 'put' ? { state: seen + 1, close: [event.object] } : { state: seen }),
})`,
  'buckets/clicks.ts': `import { bucket, byTime } from 'fusionize'
import count from '../tasks/count'
export const clicks = bucket<any>('clicks').on(byTime(1000), count)`,
}

/** What a platform finds in the module of an app's buckets. */
async function definitionsIn(module: { file: string } | undefined): Promise<unknown> {
  const script = `
    const { buckets } = await import(process.env.MODULE)
    const inside = buckets.map((bucket) => bucket[Symbol.for('fusionize.bucket')])
    console.log(JSON.stringify(inside.map(({ name, triggers, tasks }) => ({
      name,
      triggers: triggers.map(({ spec }) => spec.kind),
      stubs: [...tasks.values()].filter(({ body }) => body === undefined).map((task) => task.name),
    }))))`
  const env = { ...process.env, MODULE: pathToFileURL(module?.file as string).href }
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env })
  return JSON.parse(stdout)
}

describe('an app with buckets', () => {
  const codeOf = (artifact: { file: string } | undefined) => readFile(artifact?.file as string, 'utf8')
  const built = async (app: TestApp, text: string) => app.builder.build(parseSetup(text, await app.builder.scan()))

  test('has in a function the tasks of the buckets that it evaluates, and says which these are', async () => {
    const app = await testApp(gallery)
    const apart = await remote(app)
    expect(Object.keys(apart.artifacts)).toEqual(['archive', 'count', 'join', 'peek', 'upload'])
    expect(apart.artifacts.upload?.tasks).toEqual(['upload'])
    expect(await codeOf(apart.artifacts.upload)).not.toMatch(/(join|archive|count) code|buckets:\[/)

    const rest = '(archive)@128-(count)@128-(join)@128-(peek)@128'
    const evaluating = await built(app, `(upload | parts)@128-${rest}`)
    expect(evaluating.artifacts.upload?.tasks).toEqual(['archive', 'join', 'upload'])
    expect(Object.keys(evaluating.artifacts)).toEqual(Object.keys(apart.artifacts))
    const code = await codeOf(evaluating.artifacts.upload)
    for (const part of ['archive code', 'join code', 'buckets:["parts"]']) expect(code).toContain(part)
    expect(evaluating.built).toEqual(['upload'])

    const together = await fused(app)
    expect(Object.keys(together.artifacts)).toEqual(['count', 'peek', 'upload'])
    expect(together.artifacts.upload?.tasks).toEqual(['archive', 'join', 'upload'])
    expect(await codeOf(together.artifacts.upload)).toContain('buckets:["parts"]')
    expect(await codeOf(together.artifacts.peek)).not.toContain('buckets:[')
  })

  test('has functions of their own for what buckets start where the platform evaluates all of them, whatever the setup says', async () => {
    const app = await testApp({ ...gallery, 'evaluator.mjs': 'export const evaluate = (buckets) => buckets.length' })
    const builder = builderFor(app.dir, join(app.dir, 'evaluator.mjs'))
    const setup = allFusedSetup(await builder.scan(), 128)
    const { artifacts, setup: asked } = await builder.build(setup)
    expect(Object.keys(artifacts)).toEqual(['archive', 'count', 'join', 'peek', 'upload'])
    expect(artifacts.upload?.tasks).toEqual(['upload'])
    expect(await codeOf(artifacts.upload)).not.toContain('buckets:[')
    expect(asked).toBe(setup)
  })

  test('knows of a task that only reads a bucket that it is no leaf', async () => {
    const { artifacts } = await remote(await testApp(gallery))
    expect(await codeOf(artifacts.peek)).toContain('leaves:[]')
    expect(await codeOf(artifacts.join)).toContain('leaves:["join"]')
  })

  test('has a module of its buckets in which all tasks are stubs', async () => {
    const app = await testApp(gallery)
    const { buckets } = await remote(app)
    expect(await codeOf(buckets)).not.toMatch(/(upload|join|archive|count) code/)
    expect(await definitionsIn(buckets)).toEqual([
      { name: 'clicks', triggers: ['byTime'], stubs: ['count'] },
      { name: 'parts', triggers: ['bySet', 'custom'], stubs: ['archive', 'join'] },
    ])

    expect((await fused(app)).buckets).toEqual(buckets)
    await app.write({ 'tasks/join.ts': gallery['tasks/join.ts'].replace('join code', 'other code') })
    expect((await remote(app)).buckets).toEqual(buckets)
    await app.write({ 'buckets/clicks.ts': gallery['buckets/clicks.ts'].replace('1000', '2000') })
    const changed = await remote(app)
    expect(changed.buckets?.hash).not.toBe(buckets?.hash)
    expect(changed.built).toEqual(['upload'])
  })

  test('keeps the module of its buckets when it prunes', async () => {
    const app = await testApp(gallery)
    const first = await remote(app)
    await app.write({ 'buckets/clicks.ts': gallery['buckets/clicks.ts'].replace('1000', '2000') })
    const second = await remote(app)
    await app.builder.prune([second])
    expect((await stat(second.buckets?.file as string)).isFile()).toBe(true)
    await expect(stat(first.buckets?.file as string)).rejects.toThrow('ENOENT')
  })
})

test('an app without buckets has no module of them', async () => {
  expect(await remote(await testApp(greeting))).not.toHaveProperty('buckets')
})

test('a setup without a function for a task is refused', async () => {
  const app = await testApp(greeting)
  const { greet } = remoteSetup(await app.builder.scan(), 128).functions
  const incomplete = app.builder.build({ functions: greet ? { greet } : {} })
  await expect(incomplete).rejects.toMatchObject({
    code: 'INVALID_SETUP',
    message: expect.stringMatching(/'shout'|'title'/),
  })
})

test('mistakes that show in several functions are reported once', async () => {
  const app = await testApp({
    'tasks/a.ts': taskFile('a', 'return logo', `import { logo } from '../lib/logo'`),
    'tasks/b.ts': taskFile('b', 'return logo', `import { logo } from '../lib/logo'`),
    'lib/logo.ts': `import logo from './logo.svg'\nexport { logo }`,
    'lib/logo.svg': '<svg/>',
  })
  const error = await remote(app).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(BuildError)
  expect((error as BuildError).problems).toHaveLength(1)
})

function packageDir(name: string): string {
  return dirname(require.resolve(name === 'split2' ? name : `${name}/package.json`))
}

async function install(app: TestApp, name: string): Promise<void> {
  await cp(packageDir(name), join(app.dir, 'node_modules', name), { recursive: true })
}

function relativeTo(app: TestApp, artifact: Artifact): string {
  return artifact.file.slice(app.dir.length + 1)
}
