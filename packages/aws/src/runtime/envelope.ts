import type { Outbound, WireError } from 'fusionize/runtime'

/** Version of the envelope; a function refuses another, and says so. */
export const ENVELOPE_VERSION = 1

/** A value in an envelope: JSON as it is, text that is no JSON (a trigger's delivery), bytes in base64, an object in S3, or nothing. */
export type Sealed =
  | { json: unknown }
  | { text: string }
  | { base64: string }
  | { s3: string; kind: 'json' | 'text' | 'bytes'; bytes: number }
  | Record<never, never>

/** What one function asks of another: the payload of Lambda's `Invoke`. */
export interface Envelope {
  fusionize: typeof ENVELOPE_VERSION
  id: string
  session: string
  task: string
  mode: 'call' | 'send'
  /** From outside: the input is checked against the task's schema. */
  external: boolean
  input: Sealed
  /** Epoch ms after which nobody waits any more; absent for a send. */
  deadline?: number
  trace: string
  parent: string | null
  /** Epoch ms of the hand-over. */
  at: number
  /** Of the first run that Lambda makes of it, where others came before elsewhere. @default 1 */
  attempt?: number
  /** It was a dead letter: its session may have ended since it failed. */
  replayed?: true
  /** Of a call in an app with buckets: the invocation that the session began with, if its item does not count that yet. */
  root?: { id: string; sent: boolean }
}

/** What every envelope says of work that is asked for inside the app. */
export function headOf({
  id,
  session,
  task,
  trace,
  parent,
}: Pick<Outbound, 'id' | 'session' | 'task' | 'trace' | 'parent'>) {
  return { fusionize: ENVELOPE_VERSION, id, session, task, external: false, trace, parent } as const
}

/** Asks for a run that nobody waits for. */
export function sendOf(work: Parameters<typeof headOf>[0], input: Sealed): Envelope {
  return { ...headOf(work), mode: 'send', input, at: Date.now() }
}

/** What the function answers to a call. `counted`: the session's item counts the envelope's `root` now. */
export type Answer =
  | { fusionize: typeof ENVELOPE_VERSION; ok: true; output: Sealed; counted?: true }
  | { fusionize: typeof ENVELOPE_VERSION; ok: false; error: WireError; counted?: true }
