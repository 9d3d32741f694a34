import type { LoadRequest } from 'fusionize'
import { FusionizeError, suggest } from 'fusionize'
import type { App } from 'fusionize/setup'
import type { WireRequest } from './generator.js'
import { randomOf } from './random.js'

/** `load.request` of the configuration. */
export type MakeRequest = (index: number, random: () => number) => LoadRequest

/** Seed of every load, so that all setups of all runs get the same requests. */
export const LOAD_SEED = 20240401

/**
 * Requests `from` … `from + count - 1` of the app's load. The same for every setup: they are made from the index and a seed alone.
 * @throws {FusionizeError} INVALID_CONFIG when the config has no `load.request`
 */
export function madeRequests(
  app: App,
  make: MakeRequest | undefined,
  from: number,
  count: number,
  seed = LOAD_SEED,
): LoadRequest[] {
  if (!make)
    throw new FusionizeError(
      'INVALID_CONFIG',
      `app '${app.name}' has no load: give load.request in fusionize.config.ts, e.g. () => ({ task: '${entries(app)[0] ?? 'my-task'}', input: {} })`,
    )
  return Array.from({ length: count }, (_, i) => make(from + i, randomOf(seed, from + i)))
}

/**
 * The same as HTTP requests.
 * @throws {FusionizeError} INVALID_CONFIG also when it names a task that is no HTTP entry
 */
export function loadRequests(
  app: App,
  make: MakeRequest | undefined,
  from: number,
  count: number,
  seed = LOAD_SEED,
): WireRequest[] {
  return madeRequests(app, make, from, count, seed).map(({ task, input }) => toWire(app, task, input))
}

function toWire(app: App, task: string, input: unknown): WireRequest {
  const http = app.tasks[task]?.http
  if (!http) {
    const problem = app.tasks[task] ? 'has no http option, so no request can reach it' : 'does not exist'
    throw new FusionizeError(
      'INVALID_CONFIG',
      `load.request asks for task '${task}', which ${problem}${suggest(task, entries(app))}; entries: ${entries(app).join(', ') || 'none'}`,
    )
  }
  return wireRequest(http.method, http.path, input)
}

/** The gateway reads an input from the path's parameters, the query (GET, DELETE) or the body; this writes it to where it is read. */
function wireRequest(method: string, pattern: string, input: unknown): WireRequest {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
  const rest: Record<string, unknown> = isObject ? { ...input } : {}
  const path = pattern.replace(/:(\w+)/g, (whole, name: string) => {
    if (!(name in rest)) return whole
    const value = encodeURIComponent(String(rest[name]))
    delete rest[name]
    return value
  })
  if (method === 'GET' || method === 'DELETE') {
    const query = new URLSearchParams(
      Object.entries(rest).map(([key, value]): [string, string] => [key, String(value)]),
    ).toString()
    return { method, path: query === '' ? path : `${path}?${query}` }
  }
  const body = isObject ? rest : input
  return body === undefined ? { method, path } : { method, path, body: JSON.stringify(body) }
}

function entries(app: App): string[] {
  return Object.values(app.tasks)
    .filter((task) => task.http)
    .map((task) => task.name)
}
