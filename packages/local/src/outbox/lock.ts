import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { FusionizeError } from 'fusionize'

const held = new Set<string>()

/**
 * Makes sure that one platform alone writes the journal in a folder; a lock whose process is gone is taken over.
 * @returns gives the lock back
 * @throws {FusionizeError} `INVALID_CONFIG`: another platform uses the folder
 */
export function lockFolder(dir: string): () => void {
  const file = join(dir, 'sends.lock')
  for (;;) {
    if (tryLock(file)) break
    const owner = ownerOf(file)
    if (owner !== undefined && (owner === process.pid ? held.has(file) : isAlive(owner)))
      throw new FusionizeError(
        'INVALID_CONFIG',
        `the platform of process ${owner} uses the state folder ${dir} already; stop it, or use another folder`,
        { pid: owner },
      )
    rmSync(file, { force: true })
  }
  held.add(file)
  return () => {
    held.delete(file)
    rmSync(file, { force: true })
  }
}

function tryLock(file: string): boolean {
  try {
    const fd = openSync(file, 'wx')
    writeSync(fd, String(process.pid))
    closeSync(fd)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  // A process that was killed but not yet reaped answers signals; it writes nothing any more.
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'))
}
