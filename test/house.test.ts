import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { houseProblems } from './house/problems.js'
import { rooms } from './house/table.js'

const repo = fileURLToPath(new URL('..', import.meta.url))
const fixtures = join(repo, 'test/fixtures/house')
const biomeConfig = JSON.parse(readFileSync(join(repo, 'biome.json'), 'utf8')) as BiomeConfig
const biomeCommand = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
const scratch = mkdtempSync(join(tmpdir(), 'fusionize-house-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A planted violation: the files to plant, and who must report it, as `biome <file> <rule>` or `house <problem>`. */
interface Fixture {
  name: string
  expected: string[]
  files: Record<string, string>
}

interface BiomeConfig {
  linter: { rules: Node }
  overrides: { includes: string[]; linter: { rules: Node } }[]
}

type Node = Record<string | number, unknown>

interface RuleSetting {
  options?: { patterns?: unknown[] }
}

/** The lint rules that guard boundaries; the others are a matter of taste and are not tested. */
const boundaryRules = /noRestrictedImports|noRestrictedGlobals|noUndeclaredDependencies|noImportCycles/
const planted = readdirSync(fixtures).map(readFixture)
const violations = planted.filter(({ expected }) => expected.length > 0)

test('the house stands: manifests, compiler references and imports go down only, pure rooms are pure', () => {
  expect(houseProblems(repo)).toEqual([])
})

test('the package that ships in every function has no dependencies of any kind', () => {
  const manifest = JSON.parse(readFileSync(join(repo, 'packages/fusionize/package.json'), 'utf8'))
  expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([])
})

test('the table allows no cycle between packages', () => {
  const nameOf = (folder: string) => JSON.parse(readFileSync(join(repo, folder, 'package.json'), 'utf8')).name as string
  const below = new Map(Object.entries(rooms).map(([folder, { imports }]) => [nameOf(folder), imports]))
  const placed = new Set<string>()
  const isReady = (name: string) =>
    [...below.keys()].every(
      (other) => placed.has(other) || !below.get(name)?.some((x) => `${x}/`.startsWith(`${other}/`)),
    )
  for (let before = -1; before < placed.size; ) {
    before = placed.size
    for (const name of below.keys()) if (isReady(name)) placed.add(name)
  }
  expect([...placed].sort()).toEqual([...below.keys()].sort())
})

test.each(planted)('reading manifests and imports finds exactly what was planted: $name', (fixture) => {
  const root = plant(fixture.name, [fixture])
  const expected = fixture.expected.filter((x) => x.startsWith('house ')).sort()
  expect(houseProblems(root).map((problem) => `house ${problem}`)).toEqual(expected)
})

test('lint catches exactly the planted violations that are its to catch', () => {
  const root = plant('lint', planted)
  expect(lint(root, biomeConfig)).toEqual(lintExpectations())
})

test.each(weakened())('lint without $what tells planted violations wrong', ({ what, config }) => {
  const root = plant(`without-${what.replaceAll(/\W+/g, '-')}`, planted)
  expect(lint(root, config)).not.toEqual(lintExpectations())
})

function readFixture(file: string): Fixture {
  const [head = '', ...sections] = readFileSync(join(fixtures, file), 'utf8').split(/^\/\/ file: /m)
  return {
    name: file.replace(/\.ts$/, '').replaceAll('-', ' '),
    expected: [...head.matchAll(/^\/\/ expect: (.*)$/gm)].map(([, words]) => words as string),
    files: Object.fromEntries(
      sections.map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]),
    ),
  }
}

/** A copy of the house without its code (manifests, compiler options) in which only the fixtures' files are. */
function plant(name: string, which: Fixture[]): string {
  const root = join(scratch, name.replaceAll(' ', '-'))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const folder of ['.', ...Object.keys(rooms)])
    cpSync(join(repo, folder, 'package.json'), join(root, folder, 'package.json'))
  for (const folder of Object.keys(rooms)) {
    const text = readIfThere(join(repo, folder, 'tsconfig.json'))
    if (text !== undefined) write(join(folder, 'tsconfig.json'), text)
  }
  write('.gitignore', 'node_modules\n')
  const isLintRun = which.length > 1
  for (const { files } of which)
    for (const [path, text] of Object.entries(files))
      if (!isLintRun || !Object.keys(rooms).some((folder) => path === `${folder}/package.json`)) write(path, text)
  return root
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function lintExpectations(): string[] {
  return [...new Set(violations.flatMap(({ expected }) => expected.filter((x) => x.startsWith('biome '))))].sort()
}

/** What biome reports about boundaries, as `biome <file> <rule>`. */
function lint(root: string, config: unknown): string[] {
  writeFileSync(join(root, 'biome.json'), JSON.stringify(config))
  const run = spawnSync(process.execPath, [biomeCommand, 'lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd: root,
    encoding: 'utf8',
  })
  const report = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] }
  const found = report.diagnostics
    .filter(({ category }) => boundaryRules.test(category))
    .map(({ category, location }) => `biome ${location.path} ${category}`)
  return [...new Set(found)].sort()
}

/** The repository's lint with one of its boundary rules, one pattern of them, or one override taken away. */
function weakened(): { what: string; config: BiomeConfig }[] {
  const without = (what: string, path: (string | number)[]) => {
    const config = structuredClone(biomeConfig)
    const last = path.at(-1) as string | number
    const parent = path.slice(0, -1).reduce<unknown>((node, key) => (node as Node)[key], config) as Node
    if (Array.isArray(parent)) parent.splice(last as number, 1)
    else delete parent[last]
    return { what, config }
  }
  const rulesAt = (path: (string | number)[], place: string) => {
    const groups = path.reduce<unknown>((node, key) => (node as Node)[key], biomeConfig) as Record<string, Node>
    return Object.entries(groups).flatMap(([group, rules]) =>
      Object.entries(rules)
        .filter(([rule, setting]) => boundaryRules.test(rule) && setting !== 'off')
        .flatMap(([rule, setting]) => {
          const { patterns = [], ...options } = (setting as RuleSetting).options ?? {}
          const at = [...path, group, rule]
          return [
            without(`${rule}${place}`, at),
            ...Object.keys(options).map((key) => without(`option ${key} of ${rule}${place}`, [...at, 'options', key])),
            ...patterns.map((_, i) => without(`pattern ${i} of ${rule}${place}`, [...at, 'options', 'patterns', i])),
          ]
        }),
    )
  }
  return [
    ...rulesAt(['linter', 'rules'], ''),
    ...biomeConfig.overrides.flatMap((override, i) => [
      without(`the override for ${override.includes[0]}`, ['overrides', i]),
      ...rulesAt(['overrides', i, 'linter', 'rules'], ` for ${override.includes[0]}`),
    ]),
  ]
}
