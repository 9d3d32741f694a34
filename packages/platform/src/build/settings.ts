import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { sha256 } from './hash.js'

const parent = /"extends"\s*:\s*"(\.[^"]+)"/

/** A hash of what an app says to the bundler beside its code: `package.json`, `tsconfig.json` and the files that it extends. */
export async function settingsHash(appDir: string): Promise<string> {
  const texts = [await textOf(join(appDir, 'package.json'))]
  const seen = new Set<string>()
  for (let file: string | undefined = join(appDir, 'tsconfig.json'); file !== undefined && !seen.has(file); ) {
    seen.add(file)
    const text: string = await textOf(file)
    texts.push(text)
    const extended = parent.exec(text)?.[1]
    file = extended === undefined ? undefined : resolve(dirname(file), extended.replace(/(\.json)?$/, '.json'))
  }
  return sha256(JSON.stringify(texts))
}

/** What settings of TypeScript extend, as they write it. */
export function parentSettings(text: string): string[] {
  const [, extended = ''] = /"extends"\s*:\s*("[^"]+"|\[[^\]]*\])/.exec(text) ?? []
  return [...extended.matchAll(/"([^"]+)"/g)].map(([, parent]) => parent as string)
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
