import type { LocalPlatform } from '@fusionize/local'
import type { DeadLetter, InvokeResult } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import type { Payload, WireError } from 'fusionize/runtime'
import type { DevServer } from './dev-file.js'

/** What commands ask of whoever runs the application: a server in another process, or a platform in this one. */
export type Host = Pick<LocalPlatform, 'invoke' | 'send' | 'records' | 'status' | 'deadLetters' | 'replay' | 'flush'>

/** The server's control endpoints as a host. */
export function remoteHost({ url, token }: DevServer): Host {
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers: Record<string, string> = { 'x-fusionize': '1' }
    if (token) headers.authorization = `Bearer ${token}`
    try {
      return await fetch(new URL(`/_fusionize/${path}`, url), { ...init, headers: { ...headers, ...init.headers } })
    } catch (error) {
      const message = `the server at ${url} went away: ${(error as Error).message}; start it again with 'fusionize dev'`
      throw new FusionizeError('SHUTTING_DOWN', message, undefined, { cause: error })
    }
  }
  async function read<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await ask(path, init)
    if (response.ok) return response.json() as Promise<T>
    const { code, message } = await errorOf(response)
    throw new FusionizeError(code as 'UNSUPPORTED', message)
  }
  const since = (cursor?: string) => (cursor === undefined ? '' : `?since=${encodeURIComponent(cursor)}`)

  return {
    async invoke(task, input, { signal } = {}): Promise<InvokeResult> {
      const response = await ask(`invoke/${encodeURIComponent(task)}`, { ...post(input), signal: signal ?? null })
      const session = response.headers.get('x-fusionize-session') ?? ''
      if (!response.ok) return { ok: false, error: await errorOf(response), session }
      const isJson = response.headers.get('content-type')?.startsWith('application/json')
      const output = response.status === 204 ? undefined : isJson ? await response.text() : await bytesOf(response)
      return { ok: true, output, session }
    },
    send: (task, input) => read(`send/${encodeURIComponent(task)}`, post(input)),
    records: (cursor) => read(`records${since(cursor)}`),
    status: () => read('status'),
    async deadLetters() {
      const letters = await read<(Omit<DeadLetter, 'input'> & { input: string | { base64: string } })[]>('dead-letters')
      return letters.map((letter) => ({ ...letter, input: fromListed(letter.input) }))
    },
    async replay(ids) {
      const { replayed } = await read<{ replayed: number }>('dead-letters/replay', post(JSON.stringify({ ids })))
      return replayed
    },
    async flush() {
      return (await read<{ fired: number }>('flush', { method: 'POST' })).fired
    },
  }
}

function post(input: Payload): RequestInit {
  if (input === undefined) return { method: 'POST' }
  const type = typeof input === 'string' ? 'application/json' : 'application/octet-stream'
  return { method: 'POST', body: input as string | Uint8Array<ArrayBuffer>, headers: { 'content-type': type } }
}

function fromListed(input: string | { base64: string } | undefined): Payload {
  return typeof input === 'object' ? new Uint8Array(Buffer.from(input.base64, 'base64')) : input
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

async function errorOf(response: Response): Promise<WireError> {
  const text = await response.text()
  try {
    const { code, message, name = 'FusionizeError', stack, ...details } = JSON.parse(text).error
    const props = Object.keys(details).length > 0 ? { props: JSON.stringify({ details }) } : {}
    return { name, message, stack, ...(code === 'TASK_FAILED' ? {} : { code }), ...props }
  } catch {
    return { name: 'Error', message: `the server answered ${response.status}: ${text.slice(0, 200)}` }
  }
}
