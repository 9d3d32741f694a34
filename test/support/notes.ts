import { existsSync, type FSWatcher, readFileSync, watch, writeFileSync } from 'node:fs'
import type { Note } from '../fixtures/buckets-app/lib/note.js'

export type { Note }

/** What the tasks of the fixture `buckets-app` noted in a file. */
export class Notes {
  constructor(readonly file: string) {
    if (!existsSync(file)) writeFileSync(file, '')
  }

  all(): Note[] {
    const lines = readFileSync(this.file, 'utf8').split('\n')
    // The last line is empty, or still being written.
    return lines.slice(0, -1).map((line) => JSON.parse(line))
  }

  clear(): void {
    writeFileSync(this.file, '')
  }

  /** Resolves with the notes when they are as they should be; rejects with the notes so far when they never are. */
  until(done: (notes: Note[]) => boolean, limitMs = 20_000): Promise<Note[]> {
    return new Promise((resolve, reject) => {
      let watcher: FSWatcher | undefined
      const end = () => {
        clearTimeout(limit)
        watcher?.close()
      }
      const limit = setTimeout(() => {
        end()
        reject(new Error(`still waiting after ${limitMs} ms; noted so far:\n${readFileSync(this.file, 'utf8')}`))
      }, limitMs)
      const look = () => {
        const notes = this.all()
        if (!done(notes)) return
        end()
        resolve(notes)
      }
      watcher = watch(this.file, look)
      look()
    })
  }
}

/** The notes by firing: a firing that ran more than once is there once. @throws when its runs were given different objects */
export function firingsOf(notes: readonly Note[]): Note[] {
  const byId = new Map<string, Note>()
  for (const note of notes) {
    const known = byId.get(note.invocation)
    if (known && JSON.stringify(known) !== JSON.stringify(note))
      throw new Error(`firing ${note.invocation} differs when it is repeated: ${JSON.stringify([known, note])}`)
    byId.set(note.invocation, note)
  }
  return [...byId.values()]
}
