import type { MessagePort } from 'node:worker_threads'
import type { SandboxInfo } from 'fusionize/runtime'
import type { Channel, Receive } from '../sandbox/channel.js'
import type { Head } from '../sandbox/messages.js'
import type { LinkRings } from '../sandbox/ring-port.js'

/** What a sandbox runs in: a process or a thread. */
export interface Host {
  readonly channel: Channel
  /** Holds it to its CPU share from now on; start-up has a full core, as on AWS Lambda. */
  limitCpu(): void
  /** Ends it without asking. `exit` is called later. */
  kill(): void
  /** Hands over a port (threads only). */
  postPort?(head: Head, port: MessagePort, rings?: LinkRings): void
  /** It waits for messages without parking (threads only). */
  readonly spins?: boolean
}

export interface HostRequest {
  file: string
  env: Record<string, string>
  info: SandboxInfo
}

export interface HostEvents {
  message: Receive
  /** A line that the function's code wrote to a standard stream. */
  output(stream: 'stdout' | 'stderr', line: string): void
  /** Called once; everything that it had posted has arrived before. */
  exit(exit: Exit): void
}

export interface Exit {
  code: number | null
  signal: string | null
  outOfMemory: boolean
}

export type StartHost = (request: HostRequest, events: HostEvents) => Host

/** MB of heap that a sandbox of this memory gets; the rest is for the runtime itself and for buffers. */
export function heapMb(memoryMb: number): number {
  return Math.max(48, Math.floor(memoryMb * 0.9) - 32)
}

/**
 * MB in which a sandbox of this memory makes new objects: what lives for a few ms, as a session does, must not outlive this space, or the
 * garbage collector copies it. Node's own choice is 48 at most.
 */
export function youngMb(memoryMb: number): number {
  return 3 * Math.min(64, Math.max(16, Math.floor(memoryMb / 24)))
}

/** Cuts a stream of text into lines and gives each to `output`; long lines come in pieces. */
export function lines(output: (line: string) => void): { push(text: string): void; end(): void } {
  let rest = ''
  return {
    push(text) {
      const parts = (rest + text).split('\n')
      rest = parts.pop() as string
      for (const line of parts) output(line)
      if (rest.length > 65_536) this.end()
    },
    end() {
      if (rest !== '') output(rest)
      rest = ''
    },
  }
}
