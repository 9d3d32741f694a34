import type { HeldSend, Invocation, LogEntry, Outbound, Outcome, SandboxInfo, WireError } from '../protocol.js'

/*
 * What a sandbox and a member of its pool say to each other. A member is a thread or a process with the sandbox's own artifact in it; it
 * runs items, and whatever they ask of the platform goes through the sandbox.
 */

export type ToMember =
  /** `limitMs`: time limit from its start; the deadline is its caller's. */
  | { kind: 'run'; item: number; invocation: Invocation; limitMs: number | undefined }
  | { kind: 'cancel'; item: number; reason: 'cancelled' | 'timeout' }
  /** Answered by `free`. */
  | { kind: 'ping' }
  /** Answers `call` and `send`; without an outcome, a send is held. */
  | { kind: 'answer'; no: number; outcome?: Outcome }
  | { kind: 'refuse'; no: number; error: WireError }

export type FromMember =
  /** Its event loop turns since it got the last item, or the last ping: it can take another. */
  | { kind: 'free' }
  | AboutItem
  | Leaving
  | { kind: 'abandon'; no: number }
  | { kind: 'log'; entry: LogEntry }
  | { kind: 'fatal'; origin: string; error: WireError }

/** How an item goes. */
export type AboutItem =
  /** It starts. */
  | { kind: 'began'; item: number }
  | { kind: 'reply'; item: number; outcome: Outcome; held: HeldSend[] }
  /** Nothing of it runs any more. `activeMs`: of `elapsedMs`, what its thread was not idle. */
  | { kind: 'done'; item: number; record: string; activeMs: number; elapsedMs: number }

/** A call or a send of an item. */
export interface Leaving {
  kind: 'call' | 'send'
  no: number
  item: number
  request: Outbound
}

/** What a member is told at its start. */
export type MemberInfo = SandboxInfo

/** One end of the line between them. */
export interface Line<Out> {
  post(message: Out): void
}
