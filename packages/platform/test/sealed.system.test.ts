import { cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBuilder } from '@fusionize/platform'
import { createSealedBuilder, type SealedApp } from '@fusionize/platform/sealed'
import { allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from './test-app.js'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))

async function folder(near: string): Promise<string> {
  const dir = await realpath(await mkdtemp(near))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** The files of a sealed app, and nothing else, somewhere else. */
async function moved(files: ReadonlyMap<string, string>): Promise<string> {
  const root = await folder(join(tmpdir(), 'fusionize-sealed-'))
  for (const [path, file] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(file, join(root, path))
  }
  return root
}

for (const name of ['iot', 'mapreduce-sort', 'video-analytics'])
  test(`artifacts of ${name}, made elsewhere from what was sealed, are the same byte for byte`, async () => {
    await mkdir(join(example(name), '.fusionize'), { recursive: true })
    const outDir = await folder(join(example(name), '.fusionize/sealed-'))
    const builder = createBuilder({
      ...{ appDir: example(name), name, taskDirs: ['tasks'], outDir, adapter: fixture('adapter.mjs') },
      evaluator: fixture('evaluator.mjs'),
    })
    const app = await builder.scan()
    const { files, sealed } = await builder.seal()
    const root = await moved(files)
    const elsewhere = createSealedBuilder(JSON.parse(JSON.stringify(sealed)) as SealedApp, root)
    const mixed: FusionSetup = remoteSetup(app, 256)
    for (const [i, { from, modes, to }] of app.edges.entries())
      if (i % 2 === 0) for (const mode of modes) mixed.functions[from]?.inline[mode].push(to)
    for (const setup of [remoteSetup(app, 128), mixed, allFusedSetup(app, 1769)]) {
      const [here, there] = [await builder.build(setup), await elsewhere.build(setup)]
      const hashes = ({ artifacts }: typeof here) =>
        Object.fromEntries(Object.values(artifacts).map((one) => [one.function, one.hash]))
      expect(hashes(there)).toEqual(hashes(here))
      expect(there.app).toEqual(app)
    }
  }, 60_000)

test('what is sealed has the settings that files are read by, and names the packages that stay outside', async () => {
  const app = await testApp({
    'package.json': '{"name":"app","type":"module"}',
    'tsconfig.json': '{"extends":"./base.json"}',
    'base.json': '{"extends":["some-settings/strict"],"compilerOptions":{"useDefineForClassFields":false}}',
    'node_modules/some-settings/package.json': '{"name":"some-settings"}',
    'node_modules/some-settings/strict.json': '{}',
    'node_modules/addon/package.json': '{"name":"addon","gypfile":true,"main":"index.js"}',
    'node_modules/addon/index.js': 'module.exports = 1',
    'node_modules/plain/package.json': '{"name":"plain","sideEffects":false}',
    'node_modules/plain/index.js': 'exports.two = 2',
    'tasks/greet.ts': `import { task } from 'fusionize'
import addon from 'addon'
import { two } from 'plain'
export default task('greet', async () => [addon, two])`,
  })
  const { externals, files, sealed } = await app.builder.seal()
  expect(externals).toEqual(['addon'])
  const own = [...files]
    .filter(([, file]) => file.startsWith(app.dir))
    .map(([, file]) => file.slice(app.dir.length + 1))
  expect(own.sort()).toEqual([
    'base.json',
    'node_modules/plain/index.js',
    'node_modules/plain/package.json',
    'node_modules/some-settings/strict.json',
    'package.json',
    'tasks/greet.ts',
    'tsconfig.json',
  ])
  const [here, there] = [
    await app.builder.build(remoteSetup(await app.builder.scan(), 128)),
    await createSealedBuilder(sealed, await moved(files)).build(remoteSetup(sealed.app, 128)),
  ]
  expect(there.artifacts.greet?.hash).toBe(here.artifacts.greet?.hash)
})
