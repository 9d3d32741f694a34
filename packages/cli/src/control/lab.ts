import { cpus } from 'node:os'
import type { Builder, Facts, Platform } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { type App, type FusionSetup, setupId } from 'fusionize/setup'
import { evenly } from './load/arrivals.js'
import type { RequestSample } from './load/fire.js'
import { runLoad } from './load/generator.js'
import { runInvokedLoad } from './load/invoked.js'
import { loadRequests, type MakeRequest, madeRequests } from './load/requests.js'
import type { Meter } from './meter.js'
import type { Watcher } from './watcher.js'

/** What a load left behind: its samples, and every record that its requests caused, those of async work included. */
export interface Evidence {
  samples: RequestSample[]
  records: InvocationRecord[]
  /** Share of the whole machine's CPU that was busy during the load, whoever used it; above about 0.6 requests wait for the machine. */
  machineBusy?: number
  /** Bytes of each function's code in the setup that was measured. */
  codeBytes?: Record<string, number>
}

export interface LabOptions {
  app: App
  /** `load.request` of the configuration. */
  request?: MakeRequest
  /** Environment of every function. */
  env: Record<string, string>
  builder: Pick<Builder, 'build'>
  platform: Platform
  meter: Meter
  watcher: Watcher
  /** Arrivals per second of the warm-up. */
  rps: number
  /** See `Lab.measure`. */
  warmUpSeconds: number
  /** Every invocation in a fresh sandbox (load `cold`). */
  forceCold?: boolean
  token?: string
  signal?: AbortSignal
}

/** Deploys setups on one platform and puts them under load. */
export interface Lab {
  readonly facts: Facts
  /** Requests sent so far, warm-ups included. */
  requestsSpent(): number
  /**
   * Builds and deploys; new requests then go to this setup. Returns its id.
   * @throws {FusionizeError} what the builder or the platform threw
   */
  serve(setup: FusionSetup): Promise<string>
  /**
   * Puts the setup that is being served under load and waits until all work that it caused is done.
   *
   * One warm-up rule for all setups: right before the measured load the same requests arrive at the same rate for `warmUpSeconds`; they are
   * discarded, with every record of their sessions, after all that they caused has ended, so that the measured load starts with warm
   * sandboxes, empty queues, and nothing of the warm-up on its bill.
   * @param firstIndex number of the first request; equal numbers are equal requests
   */
  measure(arrivals: number[], firstIndex: number): Promise<Evidence>
}

export function createLab(options: LabOptions): Lab {
  const { app, platform, meter, watcher, signal } = options
  const facts = platform.facts()
  let requestsSpent = 0
  let codeBytes: Record<string, number> = {}

  async function serve(setup: FusionSetup): Promise<string> {
    stopped(signal)
    watcher.phase('build')
    const build = await meter.charge('deployer', () => options.builder.build(setup, options.env))
    codeBytes = Object.fromEntries(Object.entries(build.artifacts).map(([name, { bytes }]) => [name, bytes]))
    for (const name of build.built) meter.addBytes('deployer', build.artifacts[name]?.bytes ?? 0)
    stopped(signal)
    watcher.phase('deploy')
    await meter.charge('deployer', () => platform.deploy(build, { forceCold: options.forceCold ?? false }))
    return setupId(setup)
  }

  async function load(arrivals: number[], firstIndex: number): Promise<RequestSample[]> {
    requestsSpent += arrivals.length
    const more = {
      ...(signal ? { signal } : {}),
      onSamples: (batch: readonly RequestSample[]) => watcher.samples(batch),
    }
    if (platform.url === undefined) {
      const requests = madeRequests(app, options.request, firstIndex, arrivals.length)
      return unlessStopped(runInvokedLoad(platform, requests, arrivals, more), signal)
    }
    const requests = loadRequests(app, options.request, firstIndex, arrivals.length)
    const headers: Record<string, string> = options.token ? { authorization: `Bearer ${options.token}` } : {}
    return (await runLoad({ url: platform.url, arrivals, requests, headers }, more)).samples
  }

  async function recordsUntilNow(since?: string): Promise<{ records: InvocationRecord[]; next: string }> {
    const page = await platform.records(since)
    const records = page.lines.map(parseRecord)
    meter.addBytes(
      'monitor',
      page.lines.reduce((bytes, line) => bytes + line.length, 0),
    )
    return { records, next: page.next }
  }

  async function measure(arrivals: number[], firstIndex: number): Promise<Evidence> {
    const warmUp = Math.round(options.rps * options.warmUpSeconds)
    const discarded = new Set<string>()
    if (warmUp > 0) {
      watcher.phase('warm-up', warmUp)
      for (const { session } of await load(evenly(warmUp, options.rps), firstIndex))
        if (session !== undefined) discarded.add(session)
      await drained()
    }
    let since = await lastPosition()
    watcher.phase('load', arrivals.length)
    const before = cpuTimes()
    const samples = await load(arrivals, firstIndex)
    const machineBusy = busyShare(before, cpuTimes())
    if (machineBusy > FULL)
      watcher.note(
        `The machine was ${Math.round(machineBusy * 100)}% busy: waiting for it is part of the latency; lower the load's rps.`,
      )
    watcher.phase('drain')
    await drained()
    watcher.phase('evaluate')
    const records: InvocationRecord[] = []
    await meter.charge('monitor', async () => {
      for (let more = true; more; ) {
        const page = await recordsUntilNow(since)
        for (const record of page.records) if (!discarded.has(record.session)) records.push(record)
        more = page.records.length > 0 && page.next !== since
        since = page.next
      }
    })
    return { samples, records, machineBusy, codeBytes }
  }

  /** Position behind the last record there is. */
  async function lastPosition(): Promise<string | undefined> {
    let since = position
    for (let more = true; more; ) {
      const page = await platform.records(since)
      more = page.lines.length > 0 && page.next !== since
      since = page.next
    }
    position = since
    return since
  }
  let position: string | undefined

  function drained(): Promise<void> {
    return unlessStopped(platform.drained(), signal)
  }

  return { facts, requestsSpent: () => requestsSpent, serve, measure }
}

/** Samples of several loads of one setup as one, in the order in which they were made. */
export function pool(evidence: readonly Evidence[]): Evidence {
  const samples: RequestSample[] = []
  let startMs = 0
  for (const part of evidence) {
    for (const sample of part.samples)
      samples.push({ ...sample, index: samples.length, startMs: startMs + sample.startMs })
    startMs += (part.samples.at(-1)?.startMs ?? 0) + 1
  }
  const machineBusy = Math.max(...evidence.map((part) => part.machineBusy ?? 0))
  return {
    samples,
    records: evidence.flatMap((part) => part.records),
    machineBusy,
    codeBytes: evidence.at(-1)?.codeBytes ?? {},
  }
}

/** Busy share from which on a machine cannot keep up with what arrives. */
const FULL = 0.85

function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const idle = times.reduce((sum, time) => sum + time.idle, 0)
  const all = times.reduce((sum, { user, nice, sys, idle: rest, irq }) => sum + user + nice + sys + rest + irq, 0)
  return { busy: all - idle, all }
}

function busyShare(before: { busy: number; all: number }, after: { busy: number; all: number }): number {
  return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all)
}

function stopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new FusionizeError('CANCELLED', 'the run was stopped')
}

/** Waits no longer once the run is stopped. */
function unlessStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  stopped(signal)
  return new Promise((resolve, reject) => {
    const stop = () => reject(new FusionizeError('CANCELLED', 'the run was stopped'))
    signal.addEventListener('abort', stop)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
