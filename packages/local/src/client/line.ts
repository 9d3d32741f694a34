import type { Socket } from 'node:net'
import type { InvokeResult } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { errorFromWire, errorToWire, type Payload, type WireError } from 'fusionize/runtime'
import { Cutter } from '../sandbox/cutter.js'
import { Utf8 } from '../sandbox/messages.js'
import { type Frame, frameOf, kinds, MAX_EXTRA, readFrame } from './frames.js'

/** One connection: requests go out, answers go back to who asked. */
export class Line {
  /** The platform's first frame; undefined when it said none. */
  readonly hello: Promise<Frame | undefined>
  /** Why nothing more can be asked. */
  ended: Error | undefined
  readonly #open = new Map<number, (result: InvokeResult) => void>()
  readonly #closed: Promise<void>
  #greet: (hello: Frame | undefined) => void = () => {}
  #id = 0

  constructor(readonly socket: Socket) {
    this.hello = new Promise((resolve) => {
      this.#greet = resolve
    })
    this.#closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.#end()
        resolve()
      }),
    )
    let greeted = false
    const cutter = new Cutter(
      (data, start, end) => {
        greeted = true
        this.#take(readFrame(data, start, end))
      },
      (length) => {
        if (!greeted && length > MAX_EXTRA) throw new SyntaxError('what it says is no hello')
      },
    )
    const failed = (error: unknown) => {
      this.ended ??= error as Error
      socket.destroy()
    }
    socket.on('error', failed)
    socket.on('data', (chunk: Buffer) => {
      try {
        cutter.push(chunk)
      } catch (error) {
        failed(error)
      }
    })
  }

  /** @returns the request's id */
  ask(
    task: string,
    payload: Payload,
    session: string,
    timeoutMs: number,
    traceparent: string,
    answer: (result: InvokeResult) => void,
  ): number {
    const id = this.#nextId()
    this.#open.set(id, answer)
    this.socket.write(frameOf({ kind: kinds.invoke, id, number: timeoutMs, task, session, traceparent, payload }))
    return id
  }

  cancel(id: number, task: string): void {
    const answer = this.#open.get(id)
    if (answer === undefined) return
    this.#open.delete(id)
    this.socket.write(
      frameOf({ kind: kinds.cancel, id, number: 0, task: '', session: '', traceparent: '', payload: undefined }),
    )
    answer({ ok: false, error: errorToWire(cancelled(task)), session: '' })
  }

  close(): Promise<void> {
    this.ended ??= new Error('this client was closed')
    this.socket.destroy()
    return this.#closed
  }

  #take(frame: Frame): void {
    if (frame.kind === kinds.hello) this.#greet(frame)
    else if (frame.kind === kinds.fault) this.ended = errorFromWire(errorOf(frame.payload)) as Error
    else this.#answer(frame)
  }

  #answer({ kind, id, session, payload }: Frame): void {
    const answer = this.#open.get(id)
    // Without one it was cancelled when the answer was on its way.
    if (answer === undefined) return
    this.#open.delete(id)
    if (kind === kinds.error) answer({ ok: false, error: errorOf(payload), session })
    else answer({ ok: true, output: payload instanceof Utf8 ? textOf(payload) : payload, session })
  }

  #end(): void {
    this.#greet(undefined)
    this.ended ??= new Error('the platform ended it')
    const error = errorToWire(lost(this.ended))
    const open = [...this.#open.values()]
    this.#open.clear()
    for (const answer of open) answer({ ok: false, error, session: '' })
  }

  #nextId(): number {
    do this.#id = (this.#id + 1) >>> 0
    while (this.#open.has(this.#id))
    return this.#id
  }
}

function errorOf(payload: Frame['payload']): WireError {
  return JSON.parse(textOf(payload as Utf8))
}

function textOf({ bytes }: Utf8): string {
  return (bytes as Buffer).toString()
}

export function cancelled(task: string): FusionizeError {
  return new FusionizeError('CANCELLED', `the call of task '${task}' was cancelled by its caller`)
}

export function lost(why: Error): FusionizeError {
  if (why instanceof FusionizeError) return why
  return new FusionizeError(
    'SHUTTING_DOWN',
    `the connection to the platform is gone (${why.message}); whether requests without an answer ran is not known: connect again`,
  )
}
