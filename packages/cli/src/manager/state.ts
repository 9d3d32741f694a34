import type { Reason, Round } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import type { FusionSetup } from 'fusionize/setup'

/** A setup that takes new sessions. */
export interface InService {
  /** Id of the setup, and of it with its code. */
  id: string
  deployed: string
  setup: FusionSetup
  /** Epoch ms. */
  sinceMs: number
}

/** A setup on trial. What is under way with it is written down before it is begun, so that the next run can end it. */
export interface Canary extends InService {
  strategy: string
  reasons: Reason[]
  summary: string
  /** `deployed` is empty until the setup is there. */
  stage: 'deploying' | 'serving' | 'adopting' | 'rolling-back'
  /** Runs that have begun to deploy it. */
  tries: number
  /** Why it is adopted or rolled back. */
  why?: string
}

/** What became of a setup. */
export interface Tried {
  id: string
  /** In the notation for people. */
  notation: string
  strategy: string
  atMs: number
  became: 'first' | 'adopted' | 'rolled back'
  why: string
  requests: number
  p50Ms: number | null
  costPerMillionUsd: number | null
}

/** What a run came to. */
export interface LastRun {
  atMs: number
  did: 'nothing' | 'tried' | 'adopted' | 'rolled back' | 'started anew' | 'failed'
  why: string
}

/** What the manager itself cost, and beside it what the app did, since the manager began. USD. */
export interface Spent {
  sinceMs: number
  runs: number
  usd: number
  /** Requests of the app that were seen, and what they cost by the same prices. */
  requests: number
  appUsd: number
}

/** The head of what a manager remembers. */
export interface ManagerState {
  version: 1
  /** Of app, goal and strategy: with another all begins anew. */
  key: string
  serving: InService
  canary: Canary | null
  /** The strategy has nothing more to propose: it only watches. */
  isDone: boolean
  tried: Tried[]
  lastRun: LastRun | null
  spent: Spent
  /** Where the evidence is. */
  evidence: string | null
  /** A run that is under way, until it must be over. */
  claim: { run: string; untilMs: number } | null
}

/** What was seen of a setup: the latest requests. */
export interface Window {
  records: InvocationRecord[]
}

/** A setup that was measured; with `failure` it is not told to strategies, and not tried again. */
export interface ManagedRound extends Round {
  failure?: string
}

/** What was seen, in bounded size. */
export interface Evidence {
  /** How far records were read. */
  cursor: string | null
  /** The last reading did not get to the end. */
  isBehind: boolean
  serving: Window
  canary: Window
  /** What strategies are told: the first setup and those on trial, each measured. */
  rounds: ManagedRound[]
}

/** Setups that are remembered in words. */
const MOST_TRIED = 30

export const emptyWindow = (): Window => ({ records: [] })

export const emptyEvidence = (): Evidence => ({
  ...{ cursor: null, isBehind: false, rounds: [] },
  ...{ serving: emptyWindow(), canary: emptyWindow() },
})

/** A head as it was read; undefined for one of another version, which is begun anew. */
export function knownState(head: unknown): ManagerState | undefined {
  const state = head as ManagerState | undefined
  return state?.version === 1 ? state : undefined
}

/** A manager that knows nothing but what serves. @param before whose costs go on being counted */
export function newState(key: string, serving: InService, before?: ManagerState): ManagerState {
  return {
    ...{ version: 1, key, serving, canary: null, isDone: false, lastRun: null, claim: null },
    tried: before?.tried ?? [],
    spent: before?.spent ?? { sinceMs: serving.sinceMs, runs: 0, usd: 0, requests: 0, appUsd: 0 },
    evidence: before?.evidence ?? null,
  }
}

export function remember(tried: readonly Tried[], one: Tried): Tried[] {
  return [...tried, one].slice(-MOST_TRIED)
}
