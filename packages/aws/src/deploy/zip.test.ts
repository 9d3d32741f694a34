import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { afterEach, describe, expect, it } from 'vitest'
import { packageCode, zipFiles } from './zip.js'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A folder with these files; the artifact's is `a/index.mjs`. */
function folder(files: Record<string, string | Uint8Array>): string {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-zip-'))
  dirs.push(dir)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  return dir
}

const packed = (dir: string, externals: string[], architecture: 'arm64' | 'x86_64' = 'arm64') =>
  packageCode(
    { function: 'a', tasks: ['a'], file: join(dir, 'a/index.mjs'), hash: '', bytes: 0, externals },
    { architecture, sourceMaps: false },
  )

const manifest = (name: string, more: object = {}) => JSON.stringify({ name, version: '1.0.0', ...more })

/** The first bytes of an ELF file for a processor. */
function elf(machine: number): Uint8Array {
  const head = Buffer.alloc(64)
  head.write('\x7fELF', 'latin1')
  head.writeUInt16LE(machine, 18)
  return head
}
const [x64, arm64] = [elf(0x3e), elf(0xb7)]

describe('the zip', () => {
  it('has the same bytes for the same files, in whatever order, time and time zone, and gives them back', async () => {
    const files = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}(\/[a-z.]{1,8})?$/), fc.uint8Array(), { maxKeys: 8 })
    await fc.assert(
      fc.asyncProperty(files, async (content) => {
        const entries = Object.entries(content)
        const zone = process.env.TZ
        const one = await zipFiles(new Map(entries))
        process.env.TZ = 'Pacific/Kiritimati'
        const other = await zipFiles(new Map(entries.reverse()))
        if (zone === undefined) delete process.env.TZ
        else process.env.TZ = zone
        expect(other.sha256).toBe(one.sha256)
        expect(Object.keys(unzipSync(one.zip)).sort()).toEqual(Object.keys(content).sort())
        for (const [path, bytes] of entries) expect(unzipSync(one.zip)[path]).toEqual(bytes)
      }),
      { numRuns: 30 },
    )
  })

  it('brings packages with all that they depend on, each in the version that it finds', async () => {
    const dir = folder({
      'a/index.mjs': '1',
      'node_modules/top/package.json': manifest('top', { dependencies: { shared: '1', other: '1' } }),
      'node_modules/top/lib/index.js': 'top',
      'node_modules/top/node_modules/shared/package.json': manifest('shared', { version: '2.0.0' }),
      'node_modules/shared/package.json': manifest('shared'),
      'node_modules/other/package.json': manifest('other', { dependencies: { shared: '1', top: '1' } }),
      'node_modules/unused/package.json': manifest('unused'),
    })
    const { zip } = await packed(dir, ['shared', 'top'])
    const files = unzipSync(zip)
    expect(Object.keys(files)).toEqual([
      'index.mjs',
      'node_modules/other/package.json',
      'node_modules/shared/package.json',
      'node_modules/top/lib/index.js',
      'node_modules/top/node_modules/shared/package.json',
      'node_modules/top/package.json',
    ])
    const text = (path: string) => Buffer.from(files[path] ?? []).toString()
    expect(text('node_modules/top/node_modules/shared/package.json')).toContain('2.0.0')
  })

  it('refuses machine code for another processor, and says how to get the right one', async () => {
    const dir = folder({
      'a/index.mjs': '1',
      'node_modules/addon/package.json': manifest('addon'),
      'node_modules/addon/build/Release/addon.node': x64,
    })
    await expect(packed(dir, ['addon'])).rejects.toThrow(
      /'addon' is installed with machine code for another machine than Linux on arm64.*--cpu=arm64 addon.*aws\.architecture to 'x86_64'/,
    )
    expect(Object.keys(unzipSync((await packed(dir, ['addon'], 'x86_64')).zip))).toHaveLength(3)
  })

  it('takes of prebuilt machine code only what fits', async () => {
    const dir = folder({
      'a/index.mjs': '1',
      'node_modules/addon/package.json': manifest('addon'),
      'node_modules/addon/prebuilds/linux-x64/a.node': x64,
      'node_modules/addon/prebuilds/linux-arm64/a.node': arm64,
      'node_modules/image/package.json': manifest('image', {
        optionalDependencies: { '@image/linux-x64': '1', '@image/linux-arm64': '1', '@image/darwin-arm64': '1' },
      }),
      'node_modules/@image/linux-x64/package.json': manifest('@image/linux-x64'),
      'node_modules/@image/linux-x64/a.node': x64,
      'node_modules/@image/linux-arm64/package.json': manifest('@image/linux-arm64'),
      'node_modules/@image/linux-arm64/a.node': arm64,
    })
    const paths = Object.keys(unzipSync((await packed(dir, ['addon', 'image'])).zip)).filter((x) => x.endsWith('.node'))
    expect(paths).toEqual(['node_modules/@image/linux-arm64/a.node', 'node_modules/addon/prebuilds/linux-arm64/a.node'])
    rmSync(join(dir, 'node_modules/@image/linux-arm64'), { recursive: true })
    await expect(packed(dir, ['image'])).rejects.toThrow(/'image' is installed with machine code for another machine/)
  })

  it('says which package is missing', async () => {
    const dir = folder({ 'a/index.mjs': '1' })
    await expect(packed(dir, ['fusionize-nowhere'])).rejects.toThrow(
      /'fusionize-nowhere' is not installed.*npm install/,
    )
  })
})
