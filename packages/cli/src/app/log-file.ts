import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FunctionLog } from '@fusionize/local'

/** The file is put aside at this size; one older file stays. */
const FILE_BYTES = 8 * 1024 * 1024

const fileIn = (stateDir: string) => join(stateDir, 'logs.ndjson')
const olderIn = (stateDir: string) => join(stateDir, 'logs.old.ndjson')

/** Keeps what functions wrote, one JSON object a line. */
export function appendLogs(stateDir: string, entries: readonly FunctionLog[]): void {
  const file = fileIn(stateDir)
  mkdirSync(stateDir, { recursive: true })
  if (existsSync(file) && statSync(file).size > FILE_BYTES) renameSync(file, olderIn(stateDir))
  appendFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}

/** All that is kept, oldest first. */
export async function readLogs(stateDir: string): Promise<FunctionLog[]> {
  const texts = await Promise.all(
    [olderIn(stateDir), fileIn(stateDir)].map((file) => readFile(file, 'utf8').catch(() => '')),
  )
  return texts.flatMap(parseLines)
}

/** What is written from now on, until `signal` aborts. */
export async function* followLogs(stateDir: string, signal: AbortSignal): AsyncGenerator<FunctionLog> {
  const file = fileIn(stateDir)
  let offset = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  let rest = ''
  while (!signal.aborted) {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size < offset) offset = 0
    if (size > offset) {
      const text = rest + (await readRange(file, offset, size))
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      offset = size
      yield* parseLines(text.slice(0, end))
    } else await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function readRange(file: string, from: number, to: number): Promise<string> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

function parseLines(text: string): FunctionLog[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as FunctionLog]
    } catch {
      // cut off when a process was killed
      return []
    }
  })
}
