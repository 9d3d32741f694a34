import { readFileSync, rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A running `fusionize dev`, as other commands find it. */
export interface DevServer {
  pid: number
  url: string
  /** What requests must carry, when the gateway wants one. */
  token?: string
}

const fileIn = (stateDir: string) => join(stateDir, 'dev.json')

/** Lets other commands find this server. @returns takes it back, at once: it is used while the process ends */
export async function announce(stateDir: string, server: DevServer): Promise<() => void> {
  const file = fileIn(stateDir)
  await mkdir(stateDir, { recursive: true })
  await writeFile(file, `${JSON.stringify(server, null, 2)}\n`, { mode: 0o600 })
  return () => {
    if (parse(readText(file))?.pid === server.pid) rmSync(file, { force: true })
  }
}

/** The server that runs for this application; what one left behind that is gone is removed. */
export async function runningServer(stateDir: string): Promise<DevServer | undefined> {
  const file = fileIn(stateDir)
  const server = parse(await readFile(file, 'utf8').catch(() => undefined))
  if (server && isAlive(server.pid) && (await answers(server))) return server
  rmSync(file, { force: true })
  return undefined
}

function parse(text: string | undefined): DevServer | undefined {
  try {
    const { pid, url, token } = JSON.parse(text ?? '')
    return typeof pid === 'number' && typeof url === 'string' ? { pid, url, ...(token && { token }) } : undefined
  } catch {
    return undefined
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The id of a process that is gone may belong to another by now. */
async function answers({ url, token }: DevServer): Promise<boolean> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  try {
    return (await fetch(new URL('/_fusionize/status', url), { headers, signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false
  }
}
