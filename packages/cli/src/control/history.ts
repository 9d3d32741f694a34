import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Goal, Round } from '@fusionize/planner'

const VERSION = 1

/** One lap, or a lap that failed: `failure` says why, and it is never adopted. */
export interface HistoryRound extends Round {
  failure?: string
  /** Share of the machine's CPU that was busy during the load. */
  machineBusy?: number
}

/** What makes a run the same run: another app, goal, strategy or load starts anew. */
export interface RunKey {
  appHash: string
  strategy: string
  goal: Goal
  load: string
}

/** One run of the feedback loop as it stands, kept in `<stateDir>/optimize/<run>.json`. */
export interface History {
  version: number
  run: string
  key: RunKey
  startedAt: string
  finished: boolean
  rounds: HistoryRound[]
}

export function newHistory(key: RunKey, now: Date): History {
  return {
    version: VERSION,
    run: now.toISOString().replace(/[:.]/g, '-'),
    key,
    startedAt: now.toISOString(),
    finished: false,
    rounds: [],
  }
}

/** Writes the history so that a reader sees the old one or the new one, never a part. Returns the bytes written. */
export async function saveHistory(stateDir: string, history: History): Promise<number> {
  return saveJson(join(stateDir, 'optimize'), `${history.run}.json`, history)
}

/** Writes `<folder>/<name>` in one step. Returns the bytes written. */
export async function saveJson(folder: string, name: string, value: unknown): Promise<number> {
  return saveText(folder, name, `${JSON.stringify(value)}\n`)
}

export async function saveText(folder: string, name: string, text: string): Promise<number> {
  await mkdir(folder, { recursive: true })
  const half = join(folder, `.${name}.${process.pid}`)
  await writeFile(half, text)
  await rename(half, join(folder, name))
  return Buffer.byteLength(text)
}

/** The newest run that was not finished and has this key, if any. Files that cannot be read are passed over. */
export async function findUnfinished(stateDir: string, key: RunKey): Promise<History | undefined> {
  for (const history of await readHistories(stateDir))
    if (!history.finished && JSON.stringify(history.key) === JSON.stringify(key)) return history
  return undefined
}

/** All runs, newest first. */
export async function readHistories(stateDir: string): Promise<History[]> {
  const folder = join(stateDir, 'optimize')
  const names = await readdir(folder).catch(() => [])
  const runs: History[] = []
  for (const name of names
    .filter((x) => x.endsWith('.json') && !x.startsWith('.'))
    .sort()
    .reverse()) {
    const history = await readFile(join(folder, name), 'utf8')
      .then((text) => JSON.parse(text) as History)
      .catch(() => undefined)
    if (history?.version === VERSION) runs.push(history)
  }
  return runs
}
