import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildError, createBuilder } from '@fusionize/platform'
import { remoteSetup } from 'fusionize/setup'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapter } from './test-app.js'

const fixtures = fileURLToPath(new URL('./fixtures/errors', import.meta.url))
const marker = '// expect: '

describe('a broken app is rejected with file, line and remedy', async () => {
  for (const name of await readdir(fixtures))
    test(name, async () => {
      const dir = join(fixtures, name)
      const expected = await expectations(dir)
      expect(expected.length).toBeGreaterThan(0)
      const error = await buildError(dir)
      expect(error.message.split('\n').sort()).toEqual(expected)
      expect(error.code).toBe('BUILD_FAILED')
      expect(error.problems).toHaveLength(expected.length)
    })
})

/** What the first lines of the broken files say. */
async function expectations(dir: string): Promise<string[]> {
  const paths = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const texts = await Promise.all(paths.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')))
  return texts
    .map((text) => text.split('\n', 1)[0] as string)
    .filter((line) => line.startsWith(marker))
    .flatMap((line) => line.slice(marker.length).split(' | '))
    .sort()
}

async function buildError(appDir: string): Promise<BuildError> {
  const outDir = await mkdtemp(join(tmpdir(), 'fusionize-out-'))
  onTestFinished(() => rm(outDir, { recursive: true, force: true }))
  const builder = createBuilder({ appDir, name: 'app', taskDirs: ['tasks'], outDir, adapter })
  try {
    await builder.build(remoteSetup(await builder.scan(), 128))
  } catch (error) {
    if (error instanceof BuildError) return error
    throw error
  }
  throw new Error(`${appDir} was built`)
}
