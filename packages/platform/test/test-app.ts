import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Builder, createBuilder } from '@fusionize/platform'
import { onTestFinished } from 'vitest'

/** An adapter that runs one invocation with the real handler and prints its outcome. */
export const adapter = fileURLToPath(new URL('./fixtures/adapter.mjs', import.meta.url))

export interface TestApp {
  dir: string
  builder: Builder
  write(files: Record<string, string>): Promise<void>
}

/** An application in a folder of its own outside the repository, deleted when the test ends. */
export async function testApp(files: Record<string, string>): Promise<TestApp> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'fusionize-app-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const write = async (more: Record<string, string>) => {
    for (const [path, text] of Object.entries(more)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), text)
    }
  }
  await write(files)
  return { dir, builder: builderFor(dir), write }
}

/** @param evaluator module that evaluates all buckets in the functions */
export function builderFor(dir: string, evaluator?: string): Builder {
  const options = { appDir: dir, name: 'app', taskDirs: ['tasks'], outDir: '.fusionize/build', adapter }
  return createBuilder({ ...options, ...(evaluator !== undefined && { evaluator }) })
}

/** A task file with imports before it and an async body. */
export function taskFile(name: string, body = 'return input', imports = '', options = ''): string {
  return `import { task } from 'fusionize'
${imports}
export default task('${name}', ${options ? `${options}, ` : ''}async (input: any): Promise<any> => { ${body} })
`
}
