import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Builder } from '@fusionize/platform'
import { builderOf } from './app.js'

const made = fileURLToPath(new URL('../../.fusionize/apps/', import.meta.url))

/**
 * The builder of an application that is made for a bench, in a folder that keeps its artifacts for the next time.
 * @param write writes its sources into a folder
 * @param code sources, by path, that take the place of what was written
 */
export function makeApp(name: string, write: (dir: string) => void, code: Record<string, string>): Builder {
  const dir = join(made, name)
  write(dir)
  writeCode(dir, { ...code, 'package.json': JSON.stringify({ name, private: true, type: 'module' }) })
  return builderOf(name, dir)
}

function writeCode(dir: string, code: Record<string, string>): void {
  for (const [path, text] of Object.entries(code)) {
    const file = join(dir, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}
