import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as plainConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FusionizeError } from 'fusionize'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Frame, frameOf, kinds, readFrame } from '../client/frames.js'
import { type Client, connect } from '../client/index.js'
import { wireText } from '../engine/failures.js'
import type { Job } from '../engine/job.js'
import type { Answered, BeginCall, CallOptions } from '../outside-calls.js'
import { Cutter } from '../sandbox/cutter.js'
import { Utf8 } from '../sandbox/messages.js'
import { openSocket, type SocketEntry } from './socket.js'

/** A request as the platform sees it. */
interface Asked extends CallOptions {
  task: string
  input: unknown
  answer: Answered
  job: Job
}

const LIMIT = 1000
let dir = ''
let path = ''
let entry: SocketEntry | undefined
let clients: Client[] = []
let asked: Asked[] = []
let abandoned: Job[] = []
/** Called at every request and every abandoned job. */
let changed: () => void = () => {}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-socket-'))
  path = join(dir, 's.sock')
  clients = []
  asked = []
  abandoned = []
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await entry?.close()
  entry = undefined
  rmSync(dir, { recursive: true, force: true })
})

const notesThem: BeginCall = (task, input, options, answer) => {
  const job = { no: asked.length } as Job
  asked.push({ task, input, ...options, answer, job })
  changed()
  return job
}

async function open(begin: BeginCall = notesThem): Promise<SocketEntry> {
  const abandon = (job: Job) => {
    abandoned.push(job)
    changed()
  }
  entry = await openSocket({ path, bodyLimit: LIMIT, begin, abandon })
  return entry
}

async function client(): Promise<Client> {
  const made = await connect(path)
  clients.push(made)
  return made
}

/** The platform has been asked so many times. */
function requests(count: number): Promise<Asked[]> {
  return until(() => asked.length >= count).then(() => asked)
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    changed = () => condition() && resolve()
    changed()
  })
}

const echoes: BeginCall = (_task, input, { session = 'made' }, answer) => {
  answer(true, input, session)
  return undefined
}

describe('a client', () => {
  it('gets JSON, bytes and nothing back as the task gave them, with the session', async () => {
    await open(echoes)
    const { invoke } = bound(await client())
    expect(await invoke('echo', '{"a": 1.0, "ü": "\u{1F600}"}')).toEqual({
      ok: true,
      output: '{"a": 1.0, "ü": "\u{1F600}"}',
      session: 'made',
    })
    expect(await invoke('echo', new Uint8Array([0, 255]))).toEqual({ ok: true, output: new Uint8Array([0, 255]), session: 'made' }) // biome-ignore format: one line a case
    expect(await invoke('echo', undefined, { session: 'mine' })).toEqual({ ok: true, output: undefined, session: 'mine' }) // biome-ignore format: one line a case
  })

  it('has its answers in the order in which they come', async () => {
    await open()
    const { invoke } = bound(await client())
    const order: string[] = []
    const all = ['a', 'b', 'c'].map((task) => invoke(task, undefined).then(() => order.push(task)))
    await requests(3)
    for (const i of [2, 0, 1]) asked[i]?.answer(true, '1', 's')
    await Promise.all(all)
    expect(order).toEqual(['c', 'a', 'b'])
  })

  it('says session, time limit and traceparent', async () => {
    await open()
    const { invoke } = bound(await client())
    const options = { session: 's', timeoutMs: 70, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const answer = invoke('t', '1', options)
    const [request] = await requests(1)
    expect(request).toMatchObject({ task: 't', input: '1', ...options })
    request?.answer(true, undefined, 's')
    await answer
  })

  it('gets errors as they are on the wire', async () => {
    const full = new FusionizeError('QUEUE_FULL', 'too many wait', { retryAfterMs: 5 })
    await open((_task, _input, _options, answer) => {
      answer(false, wireText(full), 's')
      return undefined
    })
    const result = await (await client()).invoke('t', undefined)
    expect(result).toMatchObject({ ok: false, session: 's', error: { code: 'QUEUE_FULL', message: 'too many wait' } })
  })

  it('that goes away cancels its requests, and a signal one of them', async () => {
    await open()
    const one = await client()
    const abort = new AbortController()
    const first = one.invoke('a', undefined, { signal: abort.signal })
    const second = one.invoke('b', undefined)
    const [a, b] = await requests(2)
    abort.abort()
    expect(await first).toMatchObject({ ok: false, error: { code: 'CANCELLED' } })
    await until(() => abandoned.length === 1)
    expect(abandoned).toEqual([a?.job])
    a?.answer(true, '1', 's')
    await one.close()
    expect(await second).toMatchObject({ ok: false, error: { code: 'SHUTTING_DOWN' } })
    await until(() => abandoned.length === 2)
    expect(abandoned).toEqual([a?.job, b?.job])
    expect(await one.invoke('c', undefined)).toMatchObject({ ok: false, error: { code: 'SHUTTING_DOWN' } })
  })

  it('is told what it cannot ask, before it asks', async () => {
    await open(echoes)
    const { invoke } = bound(await client())
    const code = async (...args: Parameters<Client['invoke']>) => {
      const result = await invoke(...args)
      return result.ok ? 'ok' : result.error.code
    }
    expect(await code('t', new Uint8Array(LIMIT))).toBe('ok')
    expect(await code('t', new Uint8Array(LIMIT + 1))).toBe('PAYLOAD_TOO_LARGE')
    expect(await code('t', JSON.stringify('ü'.repeat(LIMIT / 2)))).toBe('PAYLOAD_TOO_LARGE')
    expect(await code('t'.repeat(65_536), undefined)).toBe('INVALID_INPUT')
    expect(await code('t', undefined, { session: 'ü'.repeat(32_768) })).toBe('INVALID_INPUT')
    expect(await code('t', undefined, { timeoutMs: 0 })).toBe('INVALID_INPUT')
    expect(await code('t', undefined, { timeoutMs: Number.NaN })).toBe('INVALID_INPUT')
    expect(await code('t', undefined, { signal: AbortSignal.abort() })).toBe('CANCELLED')
  })

  it('gets an error for input that is no JSON, and may go on', async () => {
    await open(echoes)
    const { invoke } = bound(await client())
    expect(await invoke('t', '{"a":}')).toMatchObject({
      ok: false,
      error: { code: 'INVALID_INPUT', message: 'the input is not JSON: unexpected "}" at position 5' },
    })
    expect(await invoke('t', '1')).toMatchObject({ ok: true })
  })

  it('is told when the platform ends', async () => {
    const opened = await open()
    const one = await client()
    const answer = one.invoke('t', undefined)
    await requests(1)
    await opened.close()
    expect(await answer).toMatchObject({ ok: false, error: { code: 'SHUTTING_DOWN', message: /platform/ } })
    expect(abandoned).toHaveLength(1)
    expect(existsSync(path)).toBe(false)
  })

  it('is told when nobody, or something else, is at the socket', async () => {
    await expect(connect(path)).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: /local\.socket/ })
    for (const says of ['HTTP/1.1 400 Bad Request\r\n\r\n', helloOf(9), '']) {
      const server = createServer((socket) => (says === '' ? socket.end() : socket.write(says))).listen(path)
      await once(server, 'listening')
      await expect(connect(path)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
      await new Promise((resolve) => server.close(resolve))
    }
  })
})

describe('bytes that are no request', () => {
  const invokeFrame = (id: number, payload: Frame['payload'] = undefined) =>
    frameOf({ kind: kinds.invoke, id, number: 0, task: 't', session: '', traceparent: '', payload })
  const wrongKind = frameOf({ kind: 77, id: 1, number: 0, task: '', session: '', traceparent: '', payload: undefined })

  it.each<[string, Buffer | string, string, string]>([
    ['an HTTP request', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', 'PAYLOAD_TOO_LARGE', 'raise local.bodyLimit'],
    ['a frame that is too long', Buffer.from([255, 255, 255, 127]), 'PAYLOAD_TOO_LARGE', 'has 2147483647 bytes'],
    ['a frame that is too short', Buffer.from([1, 0, 0, 0, 0]), 'INVALID_INPUT', 'a frame has 20 at least'],
    ['an unknown kind', wrongKind, 'INVALID_INPUT', 'its kind is 77'],
    ['an id twice', Buffer.concat([invokeFrame(4), invokeFrame(4)]), 'INVALID_INPUT', 'request 4 is under way already'],
  ])('%s is told, and ends the connection', async (_what, bytes, code, words) => {
    await open()
    const frames = await talk(bytes)
    expect(frames.map((frame) => frame.kind)).toEqual([kinds.hello, kinds.fault])
    const error = JSON.parse(errorText(frames[1]))
    expect(error).toMatchObject({ name: 'FusionizeError', code })
    expect(error.message).toContain(words)
    expect(abandoned).toEqual(asked.map(({ job }) => job))
  })

  it('have no effect on other clients', async () => {
    await open(echoes)
    const other = await client()
    await talk(wrongKind)
    expect(await other.invoke('t', '1')).toMatchObject({ ok: true })
  })

  it('that are no UTF-8 are no JSON', async () => {
    await open(echoes)
    const socket = plainConnect(path)
    socket.write(invokeFrame(1, new Utf8(Buffer.from([0x22, 0xff, 0x22]))))
    const [, frame] = await framesOf(socket, (frame) => frame.kind === kinds.error)
    expect(errorText(frame)).toContain('it is not UTF-8')
  })

  /** Says `bytes` and hears until the platform ends the connection. */
  async function talk(bytes: Buffer | string): Promise<Frame[]> {
    const socket = plainConnect(path)
    socket.write(bytes)
    return framesOf(socket, () => false)
  }

  async function framesOf(socket: ReturnType<typeof plainConnect>, enough: (frame: Frame) => boolean) {
    const frames: Frame[] = []
    const cutter = new Cutter((data, start, end) => {
      const frame = readFrame(data, start, end)
      frames.push(frame)
      if (enough(frame)) socket.destroy()
    })
    socket.on('data', (chunk: Buffer) => cutter.push(chunk))
    await once(socket, 'close')
    return frames
  }
})

describe('a client that does not read its answers', () => {
  it('is not read itself until it does', async () => {
    const large = new Uint8Array(100_000)
    let begun = 0
    await open((_task, _input, _options, answer) => {
      begun++
      answer(true, large, 's')
      return undefined
    })
    const one = await client()
    const { socket } = (one as unknown as { line: { socket: ReturnType<typeof plainConnect> } }).line
    socket.pause()
    const all = Array.from({ length: 400 }, () => one.invoke('t', '"some input"'))
    // Sent in pieces: what the platform has read by then it answers, and no more.
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    socket.resume()
    const results = await Promise.all(all)
    expect(results.every((result) => result.ok)).toBe(true)
    expect(begun).toBe(400)
  })
})

describe('the socket file', () => {
  it('is for its user alone, and is all that is left in its folder', async () => {
    await open()
    expect(lstatSync(path).isSocket()).toBe(true)
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['s.sock'])
  })

  it('of a platform that is gone is replaced, and of one that lives is not', async () => {
    const dead = createServer().listen(join(dir, 'dead'))
    await once(dead, 'listening')
    // Moved away before it is closed, the file stays as it does after a crash.
    renameSync(join(dir, 'dead'), path)
    await new Promise((resolve) => dead.close(resolve))
    expect(existsSync(path)).toBe(true)
    await open(echoes)
    expect(await (await client()).invoke('t', '1')).toMatchObject({ ok: true })
    const second = openSocket({ path, bodyLimit: LIMIT, begin: echoes, abandon: () => {} })
    await expect(second).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: /another platform listens there; stop it/,
    })
    expect(await (await client()).invoke('t', '1')).toMatchObject({ ok: true })
  })

  it.each([
    ['something else', () => writeFileSync(path, ''), () => path, /something else at that path/],
    ['a path that is too long', () => {}, () => join(dir, 'x'.repeat(100)), /at most 94 bytes/],
    ['a folder that is not there', () => {}, () => join(dir, 'none', 's'), /ENOENT.*choose another path/],
  ])('is refused for %s', async (_what, prepare, at, message) => {
    prepare()
    const opening = openSocket({ path: at(), bodyLimit: LIMIT, begin: echoes, abandon: () => {} })
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_CONFIG', message })
  })

  it('that another platform has put in its place is left alone', async () => {
    const first = await open()
    rmSync(path)
    const second = await openSocket({ path, bodyLimit: LIMIT, begin: echoes, abandon: () => {} })
    await first.close()
    expect(existsSync(path)).toBe(true)
    await second.close()
    expect(existsSync(path)).toBe(false)
  })
})

function helloOf(version: number): Buffer {
  return frameOf({
    kind: kinds.hello,
    id: version,
    number: 1,
    task: '',
    session: '',
    traceparent: '',
    payload: undefined,
  })
}

function errorText(frame: Frame | undefined): string {
  return frame?.payload instanceof Utf8 ? Buffer.from(frame.payload.bytes).toString() : ''
}

function bound(of: Client): Pick<Client, 'invoke'> {
  return { invoke: (task, input, options) => of.invoke(task, input, options) }
}
