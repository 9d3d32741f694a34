import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { threadId } from 'node:worker_threads'
import type { Entry, Store } from './store.js'

/**
 * A store in files, for one machine; many processes may use one folder at once. A document is a file that is replaced by renaming; a
 * stream is a file that entries are appended to, each by one write. Not flushed to disk: what is written survives the process, not
 * a power cut.
 * @param folder where; asked at each use, so that it can come from the environment. Made when first needed
 */
export function fileStore(folder: () => string): Store {
  const fileOf = (kind: 'documents' | 'streams', key: string) => join(folder(), kind, `${checked(key)}.json`)
  const keysOf = (kind: 'documents' | 'streams') =>
    filesIn(join(folder(), kind)).map((name) => name.slice(0, -'.json'.length))

  // The calls are synchronous inside: a few microseconds each, several times cheaper than a trip through the thread pool.
  const store: Store = {
    async put(key, value) {
      const file = fileOf('documents', key)
      const text = canonical(value)
      // Replacing a file can cost half a millisecond, seeing that it need not be replaced a few microseconds.
      if (readIfThere(file) === text) return
      const draft = `${file}.${process.pid}-${threadId}-${drafts++}`
      withFolder(file, () => writeFileSync(draft, text))
      renameSync(draft, file)
    },
    async get<T>(key: string) {
      const text = readIfThere(fileOf('documents', key))
      return text === undefined ? undefined : (JSON.parse(text) as T)
    },
    async list(prefix = '') {
      return keysOf('documents').filter((key) => key.startsWith(prefix))
    },
    async append(stream, id, value) {
      const file = fileOf('streams', stream)
      // The line break comes first: whatever a dying process left half written stays a line of its own.
      withFolder(file, () => appendFileSync(file, `\n${canonical({ id, value })}`))
    },
    async entries(stream) {
      return entriesOf(readIfThere(fileOf('streams', stream)) ?? '')
    },
    async dump() {
      const documents = keysOf('documents').map((key) => `${key} ${readIfThere(fileOf('documents', key))}`)
      const streams = keysOf('streams').flatMap((stream) =>
        entriesOf(readIfThere(fileOf('streams', stream)) ?? '').map(
          ({ id, value }) => `${stream}#${id} ${canonical(value)}`,
        ),
      )
      return [...documents, ...streams].join('\n')
    },
  }
  return store
}

let drafts = 0

function checked(key: string): string {
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(key))
    throw new RangeError(`'${key}' is no key: use words of letters, digits, '.', '_' and '-' joined by '/'`)
  return key
}

function withFolder(file: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!isMissing(error)) throw error
    mkdirSync(dirname(file), { recursive: true })
    write()
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Names of the finished files, relative and in order. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function entriesOf(text: string): Entry[] {
  const lines = new Set(text.split('\n').sort())
  return [...lines].flatMap((line) => entryIn(line)).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** A line that is no JSON was never acknowledged: its writer died in the middle. */
function entryIn(line: string): Entry[] {
  if (line === '') return []
  try {
    return [JSON.parse(line) as Entry]
  } catch {
    return []
  }
}

/** JSON text with the keys of objects in order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
