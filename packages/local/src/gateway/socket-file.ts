import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { join } from 'node:path'
import { FusionizeError } from 'fusionize'

/** Bytes of a socket's path that every system takes, less those of the folder in which it is made. */
const MAX_PATH = 103 - '.XXXXXX/s'.length

/**
 * Has the server listen on a socket at `path` that only this user can open; the socket of a platform that is gone is replaced.
 * @returns removes it
 * @throws {FusionizeError} `INVALID_CONFIG`: a platform that lives listens there, or there can be no socket
 */
export async function listenAt(server: Server, path: string): Promise<() => void> {
  if (process.platform === 'win32') throw refused(path, 'this system has no unix domain sockets; use the gateway')
  if (Buffer.byteLength(path) > MAX_PATH)
    throw refused(path, `a socket's path has at most ${MAX_PATH} bytes; choose a shorter one`)
  await checkFree(path)
  // In a folder that nobody else can enter until its mode is right, and moved to its place in one step.
  const folder = attempt(path, () => mkdtempSync(`${path}.`))
  const draft = join(folder, 's')
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(draft, () => {
        server.off('error', reject)
        resolve()
      })
    })
    attempt(path, () => {
      chmodSync(draft, 0o600)
      renameSync(draft, path)
    })
  } catch (error) {
    server.close()
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { ino } = lstatSync(path)
  return () => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true })
  }
}

async function checkFree(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw refused(path, 'there is something else at that path; remove it, or choose another path')
  if (await isAlive(path))
    throw refused(path, 'another platform listens there; stop it, or choose another path with local.socket')
}

/** Whether somebody listens; a socket that cannot be opened may be somebody's. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw refused(path, `${(error as Error).message}; choose another path with local.socket`)
  }
}

function refused(path: string, why: string): FusionizeError {
  return new FusionizeError('INVALID_CONFIG', `cannot listen on the socket ${path}: ${why}`)
}
