import { type ErrorCode, FusionizeError } from '../errors.js'
import type { WireError } from './protocol.js'
import { stringify } from './wire.js'

const builtIn: Record<string, new (message: string) => Error> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}
const carried = new Set(['name', 'message', 'stack', 'cause', 'code', 'errors'])
const maxNesting = 8

/** What was thrown, as it travels (Promise 4): name, message, code, cause, stack and JSON properties. */
export function errorToWire(thrown: unknown, nesting = 0): WireError {
  if (!isError(thrown)) return { name: 'Error', message: String(thrown), thrown: tryJson(thrown) ?? '' }
  const wire: WireError = { name: String(thrown.name), message: String(thrown.message) }
  if (typeof thrown.stack === 'string') wire.stack = thrown.stack
  const { code } = thrown as { code?: unknown }
  if (typeof code === 'string' || typeof code === 'number') wire.code = code
  if (thrown.cause !== undefined && nesting < maxNesting) wire.cause = errorToWire(thrown.cause, nesting + 1)
  const { errors } = thrown as { errors?: unknown }
  if (Array.isArray(errors) && nesting < maxNesting) wire.errors = errors.map((e) => errorToWire(e, nesting + 1))
  const props: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(thrown))
    if (!carried.has(key) && value !== undefined && tryJson(value) !== undefined) props[key] = value
  if (Object.keys(props).length > 0) wire.props = stringify(props)
  return wire
}

/**
 * The error on the caller's side: a built-in class by name, else an `Error` of that name. Its stack is the callee's, then the
 * caller's. A class of the user's own does not survive, on any route: test `name` or `code`, not `instanceof`.
 * @param caller the task that gets the error, for the stack
 */
export function errorFromWire(wire: WireError, caller?: string): unknown {
  if (wire.thrown !== undefined) return wire.thrown === '' ? undefined : JSON.parse(wire.thrown)
  const error = construct(wire)
  if (error.name !== wire.name) define(error, 'name', wire.name)
  if (wire.code !== undefined && !(error instanceof FusionizeError)) Object.assign(error, { code: wire.code })
  if (wire.cause !== undefined) define(error, 'cause', errorFromWire(wire.cause))
  if (wire.props !== undefined) Object.assign(error, JSON.parse(wire.props))
  if (wire.stack !== undefined) define(error, 'stack', joinStacks(wire.stack, error.stack, caller))
  return error
}

function construct(wire: WireError): Error {
  if (wire.name === 'FusionizeError' && wire.code !== undefined)
    return new FusionizeError(wire.code as ErrorCode, wire.message)
  if (wire.errors !== undefined)
    return new AggregateError(
      wire.errors.map((e) => errorFromWire(e)),
      wire.message,
    )
  return new (builtIn[wire.name] ?? Error)(wire.message)
}

function joinStacks(callee: string, own: string | undefined, caller: string | undefined): string {
  if (caller === undefined || own === undefined) return callee
  const frames = own
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
  return [callee, `    --- called by task '${caller}'`, ...frames].join('\n')
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false })
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]'
}

function tryJson(value: unknown): string | undefined {
  try {
    return stringify(value)
  } catch {
    return undefined
  }
}
