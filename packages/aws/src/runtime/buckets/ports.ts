import type { FusionizeError } from 'fusionize'
import type { BucketDefinition } from 'fusionize/buckets'
import type { HeldSend } from 'fusionize/runtime'
import type { RemovingStore } from '../object-store.js'
import type { ChangingTable } from './changing-table.js'

/** What a function is told later. */
export interface TimeMessage {
  fusionize: 'time'
  /** Epoch ms for which it is meant. */
  at: number
  bucket: string
  /** Absent for a bucket of the application. */
  session?: string
  /** Key that a task of the session has promised to put by then. */
  expects?: string
}

/** What buckets need of the function that they are in. */
export interface BucketPorts {
  /** The function, and the deployment that it belongs to. */
  function: string
  setup: string
  /** All buckets of the app. */
  definitions: readonly BucketDefinition[]
  table: ChangingTable
  store: RemovingStore
  /** Resolves once Lambda holds the invocation; `setup` says at which deployment. @param attempt where others came before */
  handOn(send: HeldSend, attempt?: number): Promise<void>
  /** A run that nobody tries again: a dead letter. */
  bury(send: HeldSend, attempt: number, error: FusionizeError): Promise<void>
  /** Nobody needs the run, if it is here: its signal aborts. */
  cancel(run: string): void
  /** Says that these firings, which begin sessions of their own, are made: whoever waits for all work finds them nowhere else. */
  fired(ids: readonly string[]): void
  /** Has a function of the app told later. @param delayS 0…900 */
  later(message: TimeMessage, delayS: number): Promise<void>
  /** Ms in which whoever keeps something of a session open is over. */
  longestMs: number
  /** Ms after which nobody is handing over what lies in an outbox, or tells of a time that has passed. @default 60000 */
  lateMs?: number
  now(): number
  /** 0…1. */
  random(): number
  pause(ms: number): Promise<void>
  newId(): string
  log(level: 'info' | 'warn' | 'error', session: string, message: string): void
}

/** Ms in which the table must have taken a change, conflicts included. */
export const COMMIT_MS = 30_000
/**
 * Ms after which an invocation that a caller waits for, or an answer, is taken for lost: Lambda ends a function after 15 minutes, and what its
 * reply left behind the sweep hands on half an hour later.
 */
export const CALL_OPEN_MS = 60 * 60_000
/** Ms after which an asynchronous invocation is taken for lost: Lambda keeps an event for 6 hours, and tries it 3 times. */
export const SEND_OPEN_MS = 7 * 3_600_000
/** S for which what ended is remembered: as long as a dead letter may be replayed. */
export const REMEMBER_S = 15 * 86_400
