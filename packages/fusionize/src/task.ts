import { plainCall, plainSend } from '#plain'
import type { Bucket } from './bucket.js'
import { definitionKey, optionNames, type TaskBody, type TaskDefinition, type TaskOptions } from './definition.js'
import { FusionizeError } from './errors.js'
import { call, map, send } from './runtime/calls.js'
import { current } from './runtime/frames.js'
import { inOrder } from './runtime/in-order.js'
import type { StandardSchema, Wire } from './types.js'

/** A task: a typed async function that fusionize may run here or elsewhere. */
export interface Task<I, O> {
  /** Call: waits for the result. */
  (input: I): Promise<Awaited<O>>
  /** Send: hands over and does not wait; resolves when the hand-over is safe. */
  send(input: I): Promise<void>
  /**
   * Map: one run per item, in parallel; results in the order of the items. Rejects with the error of the first item, in their order, that
   * fails, as soon as all before it have succeeded; the others go on unheard.
   */
  map(inputs: readonly I[]): Promise<Awaited<O>[]>
  readonly taskName: string
}

/**
 * Defines a task.
 * @param name unique in the app; lower-case letters, digits and dashes
 * @param body the code; its input and output are JSON values or bytes
 * @throws {FusionizeError} `INVALID_CONFIG` for a bad name or an unknown option
 * @example export default task('greet', async (name: string) => `Hello ${name}`)
 */
export function task<I = void, O = void>(name: string, body: TaskBody<I, O> & Wire<I, Awaited<O>>): Task<I, O>
export function task<Schema extends StandardSchema, R>(
  name: string,
  options: TaskOptions<Schema> & { input: Schema; result: Bucket<R> },
  body: TaskBody<SchemaOutput<Schema>, unknown>,
): Task<SchemaOutput<Schema>, R>
export function task<R, I = void>(
  name: string,
  options: TaskOptions & { input?: undefined; result: Bucket<R> },
  body: TaskBody<I, unknown> & Wire<I, undefined>,
): Task<I, R>
export function task<Schema extends StandardSchema, O = void>(
  name: string,
  options: TaskOptions<Schema> & { input: Schema },
  body: TaskBody<SchemaOutput<Schema>, O> & Wire<SchemaOutput<Schema>, Awaited<O>>,
): Task<SchemaOutput<Schema>, O>
export function task<I = void, O = void>(
  name: string,
  options: TaskOptions & { input?: undefined },
  body: TaskBody<I, O> & Wire<I, Awaited<O>>,
): Task<I, O>
export function task(name: string, ...rest: unknown[]): Task<unknown, unknown> {
  const [options, body] = (rest.length > 1 ? rest : [{}, rest[0]]) as [TaskOptions, TaskBody<unknown, unknown>]
  checkDefinition(name, options, body)
  return makeTask({ name, options, body })
}

type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** A task whose code is in another function; the build puts it where the import of a task that stays remote was. */
export function remoteTask(name: string): Task<unknown, unknown> {
  return makeTask({ name, options: {}, body: undefined })
}

function makeTask(definition: TaskDefinition): Task<unknown, unknown> {
  const self = (input: unknown) => {
    const frame = current.getStore()
    return frame === undefined ? plainCall(definition, input) : call(frame, definition, input)
  }
  self.send = async (input: unknown) => {
    const frame = current.getStore()
    return frame === undefined ? plainSend(definition, input) : send(frame, definition, input)
  }
  self.map = async (inputs: readonly unknown[]) => {
    const frame = current.getStore()
    return frame === undefined
      ? inOrder(Array.from(inputs, (input) => plainCall(definition, input)))
      : map(frame, definition, inputs)
  }
  self.taskName = definition.name
  Object.defineProperty(self, definitionKey, { value: definition })
  return self
}

function checkDefinition(name: string, options: TaskOptions, body: unknown): void {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    throw new FusionizeError(
      'INVALID_CONFIG',
      `task name ${JSON.stringify(name)} is not valid: use lower-case letters, digits and dashes, a letter first`,
    )
  for (const key of Object.keys(options))
    if (!(optionNames as readonly string[]).includes(key))
      throw new FusionizeError(
        'INVALID_CONFIG',
        `task '${name}' has an unknown option '${key}'; options are ${optionNames.join(', ')}`,
      )
  if (typeof body !== 'function')
    throw new FusionizeError(
      'INVALID_CONFIG',
      `task '${name}' has no code: give an async function as the last argument`,
    )
}
