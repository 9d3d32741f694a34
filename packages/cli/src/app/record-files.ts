import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMonitor } from '@fusionize/planner'
import { type InvocationRecord, parseRecord } from 'fusionize/record'

export interface KeptRecords {
  /** Of one application, oldest first, none twice. */
  records: InvocationRecord[]
  /** Lines that are no records. */
  broken: number
}

/** What functions of an application reported, as far as its state folder keeps it. */
export async function readRecords(stateDir: string, app: string): Promise<KeptRecords> {
  const monitor = createMonitor()
  const records: InvocationRecord[] = []
  let broken = 0
  for (const file of await recordFiles(stateDir))
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line === '') continue
      try {
        const record = parseRecord(line)
        if (record.app === app && monitor.add(record)) records.push(record)
      } catch {
        broken++
      }
    }
  return { records, broken }
}

/** Files that were put aside, named by where they begin, then the current one. */
async function recordFiles(stateDir: string): Promise<string[]> {
  const names = await readdir(stateDir).catch(() => [])
  const startOf = (name: string) => Number(/^records\.(\d+)\.ndjson$/.exec(name)?.[1] ?? Number.NaN)
  const aside = names.filter((name) => !Number.isNaN(startOf(name))).sort((a, b) => startOf(a) - startOf(b))
  return [...aside, ...names.filter((name) => name === 'records.ndjson')].map((name) => join(stateDir, name))
}
