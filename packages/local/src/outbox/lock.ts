import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FusionizeError } from 'fusionize'

/**
 * Makes sure that one platform alone writes the journal in a folder; a lock whose process is gone is taken over.
 * @returns gives the lock back
 * @throws {FusionizeError} `INVALID_CONFIG`: another platform uses the folder
 */
export function lockFolder(dir: string): () => void {
  const file = join(dir, 'sends.lock')
  const draft = `${file}.${process.pid}-${++drafts}`
  // Linked when complete, so that nobody ever reads a lock that does not say whose it is.
  const mine = `${process.pid} ${startOf(process.pid) ?? ''} ${drafts}`
  writeFileSync(draft, mine)
  try {
    while (!linked(draft, file)) {
      const found = read(file)
      if (found === undefined) continue
      const [pid, start] = found.split(' ')
      if (isAlive(Number(pid), start ?? ''))
        throw new FusionizeError(
          'INVALID_CONFIG',
          `the platform of process ${pid} uses the state folder ${dir} already; stop it, or use another folder`,
          { pid: Number(pid) },
        )
      if (read(file) === found) rmSync(file, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true })
  }
}

let drafts = 0

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Whether the process that took the lock still runs; a number that another process has by now does not count. */
function isAlive(pid: number, start: string): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return now === undefined ? process.platform !== 'linux' : start === '' || now === start
}

/** When a process started, in clock ticks; undefined for one that ended (reaped or not), and where there is no /proc. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}
