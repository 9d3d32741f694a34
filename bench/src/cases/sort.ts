import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { checkSorted, type RecordSum, recordBytes, sumOfFile, writeRecords } from '@fusionize/example-kit/records'
import { remoteSetup } from 'fusionize/setup'
import type { Bench, Case } from '../harness.js'
import { exampleBuilder, invoke, type Served, serveBuild } from '../lib/app.js'
import { eachDurability } from '../lib/durability.js'
import { MEMORY_MB } from '../lib/placements.js'
import { recordsSince } from '../lib/read-records.js'
import { median } from '../quantile.js'

const MB = 1000
const ROUNDS = 5
const QUICK = { mb: 2, rounds: 1 }
/** Tasks at a time, and MB that each may use. */
const WORKERS = 2
const TASK_MB = 256
const TIMEOUT_MS = 15 * 60 * 1000

const ours = { role: 'ours', records: 'on', wait: 'park' } as const
const cases: Record<string, Case> = {
  ...eachDurability({
    threads: { ...ours, isolation: 'thread', transport: 'message-port' },
    processes: { ...ours, isolation: 'process', transport: 'socket' },
  }),
  sort: {
    role: 'yardstick',
    isolation: 'process',
    transport: 'none',
    durability: 'none',
    records: 'off',
    wait: 'park',
  },
}

const bench: Bench = {
  method: `the application mapreduce-sort sorts a file of ${MB} MB (--mb) of 100-byte records by their bytes, from the request until its output is written and checked by itself; every task in a function of its own, ${WORKERS} sandboxes at a time, each task within ${TASK_MB} MB; sort: LC_ALL=C sort --parallel=${WORKERS} -S ${WORKERS * TASK_MB}M on the same file. Files in the same folder, not flushed to the disk; the order and the sum of every output's records are checked afterwards; cases in turn, ${ROUNDS} rounds, after one of a tenth of the size to warm up`,
  unit: 'MB/s',
  yardstick: 'sort',
  cases,
  async run({ options, sample, samplesOf, more, finding, progress }) {
    const quick = options.quick !== undefined
    const records = Math.round(((Number(options.mb ?? (quick ? QUICK.mb : MB)) || MB) * 1e6) / recordBytes)
    const work = fileURLToPath(new URL('../../.fusionize/sort', import.meta.url))
    const input = makeInput(work, records)
    const small = makeInput(work, Math.ceil(records / 10))
    const expected = sumOfFile(input)
    const served: Record<string, Served> = {}
    try {
      for (const name of Object.keys(cases)) if (name !== 'sort') served[name] = await open(cases[name] as Case, work)
      for (let round = -1; round < (quick ? QUICK.rounds : ROUNDS); round++)
        for (const name of Object.keys(cases)) {
          const file = round < 0 ? small : input
          const sorted = await sortFile(served[name], file)
          if (round < 0) {
            sorted.remove()
            continue
          }
          check(sorted.files, expected)
          sorted.remove()
          sample(name, (records * recordBytes) / 1e3 / sorted.ms)
          progress(`${name}: ${(sorted.ms / 1000).toFixed(1)} s`)
        }
      for (const [name, { platform }] of Object.entries(served)) more(name, await peaks(platform))
    } finally {
      for (const { close } of Object.values(served)) await close()
      rmSync(small, { force: true })
    }
    for (const name of Object.keys(served))
      finding(
        `${name}: ${median(samplesOf(name)).toFixed(0)} MB/s, sort ${median(samplesOf('sort')).toFixed(0)} MB/s (medians), for ${(records * recordBytes) / 1e6} MB`,
      )
  },
}
export default bench

interface Sorted {
  ms: number
  files: string[]
  remove(): void
}

/** Sorts a file: with our platform, or without one by `sort`. */
async function sortFile(served: Served | undefined, file: string): Promise<Sorted> {
  const began = performance.now()
  if (served === undefined) {
    const output = `${file}.sorted`
    const options = ['--parallel', String(WORKERS), '-S', `${WORKERS * TASK_MB}M`, '-T', dirname(file)]
    await promisify(execFile)('sort', [...options, '-o', output, file], { env: { ...process.env, LC_ALL: 'C' } })
    return { ms: performance.now() - began, files: [output], remove: () => rmSync(output) }
  }
  const request = { file: basename(file), memoryMb: TASK_MB }
  const { files } = await invoke<{ files: string[] }>(served.platform, 'sort', request)
  const ms = performance.now() - began
  await served.platform.drained()
  return { ms, files, remove: () => rmSync(dirname(files[0] as string), { recursive: true }) }
}

function check(files: string[], expected: RecordSum): void {
  const problems = checkSorted(files, expected)
  if (problems.length > 0) throw new Error(problems.join('; '))
}

function makeInput(work: string, records: number): string {
  const file = join(work, `input-${records}`)
  mkdirSync(work, { recursive: true })
  if (!existsSync(file)) writeRecords(file, { seed: 1, records })
  return file
}

async function open({ isolation, durability }: Case, work: string): Promise<Served> {
  const builder = exampleBuilder('mapreduce-sort')
  const build = await builder.build(remoteSetup(await builder.scan(), MEMORY_MB), { SORT_WORK: work })
  await builder.dispose()
  return serveBuild(build, {
    isolation: isolation === 'thread' ? 'threads' : 'processes',
    durability,
    maxSandboxes: WORKERS,
    timeoutMs: TIMEOUT_MS,
  })
}

/** The most memory that a sandbox used, by task, and ms of its runs. */
async function peaks(platform: Served['platform']) {
  const { records } = await recordsSince(platform)
  const of = (task: string) => records.filter((record) => record.task === task)
  return Object.fromEntries(
    ['map', 'reduce'].map((task) => [
      task,
      {
        runs: of(task).length,
        medianMs: Math.round(median(of(task).map(({ wall }) => wall))),
        peakMb: Math.round(of(task).reduce((most, { peakMb }) => Math.max(most, peakMb), 0)),
      },
    ]),
  )
}
