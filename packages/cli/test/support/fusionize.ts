import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const command = fileURLToPath(new URL('../../bin/fusionize.js', import.meta.url))
const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** A `fusionize` that runs as a process of its own; it is gone when the test is over. */
export interface Running {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with the match when the process has said the words on either stream, after what an earlier call found. */
  says(words: RegExp): Promise<RegExpExecArray>
  ended: Promise<Finished>
}

export function start(args: readonly string[], cwd: string, input?: string | Uint8Array): Running {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  let stdout = ''
  let stderr = ''
  let all = ''
  let read = 0
  const waiting = new Set<() => void>()
  const tell = () => {
    for (const check of [...waiting]) check()
  }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
    all += text
    tell()
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
    all += text
    tell()
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<Finished>((resolve) =>
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
      tell()
    }),
  )
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    says: (words) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = words.exec(all.slice(read))
          if (!found && child.exitCode === null) return
          waiting.delete(check)
          if (!found) return reject(new Error(`it ended without saying ${words}:\n${all}`))
          read += found.index + found[0].length
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
  }
}

export function fusionize(args: readonly string[], cwd: string, input?: string | Uint8Array): Promise<Finished> {
  return start(args, cwd, input).ended
}

/** A folder with these files, and the packages of this checkout installed; deleted when the test is over. */
export async function makeApp(files: Record<string, string>): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'fusionize-cli-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await writeFiles(dir, files)
  await symlink(modules, join(dir, 'node_modules'))
  return dir
}

export async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
}

/** An application with an entry, a call, a send that can be made to fail, and bytes. */
export const shop = {
  'package.json': JSON.stringify({ name: 'shop', type: 'module' }),
  'fusionize.config.ts': `
    import { defineConfig } from 'fusionize'
    export default defineConfig({ local: { port: 0, retries: 1, retryDelayMs: 1 } })`,
  'tasks/greet.ts': `
    import { task } from 'fusionize'
    import title from './title'
    export default task('greet', { http: 'POST /greetings' }, async (name: string) => {
      if (name === 'nobody') throw Object.assign(new TypeError('there is nobody'), { code: 'NOBODY' })
      return \`Hello \${await title(name)}\`
    })`,
  'tasks/title.ts': `
    import { task } from 'fusionize'
    export default task('title', async (name: string) => \`Dr \${name}\`)`,
  'tasks/note.ts': `
    import { existsSync } from 'node:fs'
    import { task } from 'fusionize'
    export default task('note', async (text: string, { log }) => {
      if (!existsSync('mended')) throw new Error('the printer is out of paper')
      log.info(\`noted \${text}\`, { length: text.length })
    })`,
  'tasks/reverse.ts': `
    import { task } from 'fusionize'
    export default task('reverse', { http: 'POST /reversed' }, async (bytes: Uint8Array) => bytes.slice().reverse())`,
}
