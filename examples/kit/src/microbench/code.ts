import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Text of source files by their path in the application. */
export type Code = Record<string, string>

/** Writes the files below an application's folder. */
export function writeCode(dir: string, code: Code): void {
  for (const [path, text] of Object.entries(code)) {
    const file = join(dir, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}
