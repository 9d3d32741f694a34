/** What can pass between tasks as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** The part of the Standard Schema interface (version 1) that fusionize reads; any validator that implements it fits. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type IsAny<T> = 0 extends 1 & T ? true : false
type NeverJson =
  | Date
  | RegExp
  | Error
  | bigint
  | symbol
  | ArrayBuffer
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | PromiseLike<unknown>
  | ((...args: never[]) => unknown)

/** Names what of `T` would not survive the wire, or `never` when all of it does. `Depth` ends the search in recursive interfaces. */
type Problem<T, Path extends string, Depth extends unknown[] = []> = Depth['length'] extends 6
  ? never
  : IsAny<T> extends true
    ? never
    : [T] extends [Json | undefined]
      ? never
      : unknown extends T
        ? `${Path} is unknown: give it a type that JSON can carry`
        : T extends Json | undefined
          ? never
          : T extends NeverJson
            ? `${Path} does not survive JSON: pass a string, a number or a plain object instead`
            : T extends { readonly key: string; readonly session: string; readonly value: infer V }
              ? [V] extends [Json | Uint8Array | undefined]
                ? never
                : Problem<Exclude<V, Uint8Array>, `${Path}.value`, [...Depth, 0]>
              : T extends Uint8Array
                ? `${Path} holds bytes inside JSON: pass bytes alone, as the whole value`
                : T extends readonly (infer Item)[]
                  ? Problem<Item, `${Path}[]`, [...Depth, 0]>
                  : T extends object
                    ? { [K in keyof T & string]: Problem<T[K], `${Path}.${K}`, [...Depth, 0]> }[keyof T & string]
                    : `${Path} does not survive JSON`

// biome-ignore lint/suspicious/noConfusingVoidType: a task without input or output has type void
type ValueProblem<T, Path extends string> = [T] extends [Uint8Array | undefined | void]
  ? never
  : Problem<Exclude<T, void>, Path>

/** `unknown` when a task with this input and output can run anywhere, else an impossible type whose key says why not. */
export type Wire<I, O> = [ValueProblem<I, 'input'> | ValueProblem<O, 'output'>] extends [never]
  ? unknown
  : { [Reason in ValueProblem<I, 'input'> | ValueProblem<O, 'output'>]: never }
