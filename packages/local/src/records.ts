import { closeSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordsPage } from '@fusionize/platform'

/** Ms that a line may wait in memory; a crash of the platform loses at most these. */
const FLUSH_MS = 100
const FLUSH_BYTES = 256 * 1024
/** A file is put aside at this size; the newest `KEPT_FILES` of those stay. */
const FILE_BYTES = 64 * 1024 * 1024
const KEPT_FILES = 4
/** Bytes read for one page. */
const PAGE_BYTES = 8 * 1024 * 1024
const CURRENT = 'records.ndjson'

/** Keeps record lines in `records.ndjson`; older ones in `records.<offset>.ndjson`. A cursor is an offset over all of them, so it outlives the process. */
export interface Records {
  add(line: string): void
  since(cursor?: string): RecordsPage
  close(): void
}

/** @param dir is made when it does not exist */
export function openRecords(dir: string, fileBytes = FILE_BYTES): Records {
  mkdirSync(dir, { recursive: true })
  const current = join(dir, CURRENT)
  let rotated = rotatedFiles(dir)
  let start = 0
  for (const file of rotated) start = Math.max(start, file.start + file.size)
  let fd = openSync(current, 'a+')
  let size = statSync(current).size
  endCutLine()
  let pending: string[] = []
  let pendingLength = 0
  let timer: NodeJS.Timeout | undefined

  /** A crash may have cut the last line off: the next one starts on its own. */
  function endCutLine(): void {
    const last = Buffer.alloc(1)
    if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a)
      size += writeAll(fd, Buffer.from('\n'))
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (pending.length === 0) return
    size += writeAll(fd, Buffer.from(`${pending.join('\n')}\n`))
    pending = []
    pendingLength = 0
    if (size >= fileBytes) rotate()
  }

  function rotate(): void {
    closeSync(fd)
    renameSync(current, join(dir, `records.${start}.ndjson`))
    start += size
    fd = openSync(current, 'a+')
    size = 0
    rotated = rotatedFiles(dir)
    for (const file of rotated.splice(0, rotated.length - KEPT_FILES)) rmSync(file.path)
  }

  return {
    add(line) {
      pending.push(line)
      pendingLength += line.length
      if (pendingLength >= FLUSH_BYTES) flush()
      else timer ??= setTimeout(flush, FLUSH_MS).unref()
    },
    since(cursor = '0') {
      flush()
      const wanted = Math.max(0, Number(cursor) || 0)
      const files = [...rotated, { path: current, start, size }]
      const from = files.find((file) => wanted < file.start + file.size)
      if (from === undefined) return { lines: [], next: String(start + size) }
      const at = Math.max(0, wanted - from.start)
      const text = readLines(from.path, at, Math.min(PAGE_BYTES, from.size - at))
      return { lines: text.lines, next: String(from.start + at + text.bytes) }
    },
    close() {
      flush()
      closeSync(fd)
    },
  }
}

function rotatedFiles(dir: string): { path: string; start: number; size: number }[] {
  const files: { path: string; start: number; size: number }[] = []
  for (const name of readdirSync(dir)) {
    const match = /^records\.(\d+)\.ndjson$/.exec(name)
    if (match) files.push({ path: join(dir, name), start: Number(match[1]), size: statSync(join(dir, name)).size })
  }
  return files.sort((a, b) => a.start - b.start)
}

/** Whole lines only: what a crash cut off is left for the next page, and ends at the next line break. */
function readLines(path: string, from: number, length: number): { lines: string[]; bytes: number } {
  const fd = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(length)
    const read = readSync(fd, buffer, 0, length, from)
    const end = buffer.lastIndexOf(0x0a, read - 1)
    if (end < 0) return { lines: [], bytes: read < length ? read : 0 }
    return { lines: buffer.toString('utf8', 0, end).split('\n').filter(Boolean), bytes: end + 1 }
  } finally {
    closeSync(fd)
  }
}

function writeAll(fd: number, data: Buffer): number {
  let at = 0
  while (at < data.length) at += writeSync(fd, data, at)
  return data.length
}
