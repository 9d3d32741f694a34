/** What must compile and what must not; checked by `tsc -p tsconfig.check.json`. */
import { task } from './task.js'
import type { Json, StandardSchema } from './types.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(..._proof: Equal<A, B> extends true ? [] : [never]) => {}

interface Reading {
  sensor: string
  values: number[]
  note?: string
}
interface Node {
  name: string
  children: Node[]
}

const noop = task('noop', async () => {})
const read = task('read', async (r: Reading) => ({ ok: r.values.length > 0, level: r.values[0] ?? null }))
const tree = task('tree', async (n: Node): Promise<Node> => n)
const bytes = task('bytes', async (b: Uint8Array) => b)
const json = task('json', async (j: Json) => j)
const sync = task('sync', (n: number) => n + 1)
const withContext = task(
  'with-context',
  { timeout: 5, memory: { min: 256 } },
  async (n: number, { session, signal }) => {
    return signal.aborted ? session : String(n)
  },
)
declare const schema: StandardSchema<{ id: string }, { id: string }>
const checked = task('checked', { http: 'POST /x', input: schema }, async (input) => input.id)

// inference
same<ReturnType<typeof read>, Promise<{ ok: boolean; level: number | null }>>()
same<ReturnType<typeof read.map>, Promise<{ ok: boolean; level: number | null }[]>>()
same<ReturnType<typeof read.send>, Promise<void>>()
same<ReturnType<typeof noop>, Promise<void>>()
same<ReturnType<typeof sync>, Promise<number>>()
same<Parameters<typeof checked>[0], { id: string }>()
same<ReturnType<typeof checked>, Promise<string>>()
same<ReturnType<typeof withContext>, Promise<string>>()
void noop()
void tree({ name: 'a', children: [] })
void bytes(new Uint8Array())
void json({ a: [1, null, { b: 'c' }] })
void read.map([{ sensor: 's', values: [] }])

// wrong inputs of a call
// @ts-expect-error a field is missing
void read({ sensor: 's' })
// @ts-expect-error a wrong type
void sync('1')
// @ts-expect-error map takes an array
void sync.map(1)
// @ts-expect-error send takes the input's type
void sync.send('1')
// @ts-expect-error an input is needed
void read()

// what does not survive the wire
// @ts-expect-error a Date in the input
task('date', async (x: { at: Date }) => x.at.getTime())
// @ts-expect-error a Date as the input
task('date-alone', async (x: Date) => x.getTime())
// @ts-expect-error a function in the input
task('fn', async (x: { done: () => void }) => x.done())
// @ts-expect-error a Map in the input
task('map', async (x: Map<string, number>) => x.size)
// @ts-expect-error a Set deep inside
task('set', async (x: { a: { b: Set<string>[] } }) => x.a.b.length)
// @ts-expect-error a BigInt
task('big', async (x: bigint) => String(x))
// @ts-expect-error bytes inside JSON
task('nested-bytes', async (x: { data: Uint8Array }) => x.data.length)
// @ts-expect-error a Date in the output
task('date-out', async () => ({ at: new Date() }))
// @ts-expect-error a function as the output
task('fn-out', async () => () => 1)
// @ts-expect-error a class instance with methods
task('regexp', async (x: { pattern: RegExp }) => x.pattern.source)
// @ts-expect-error unknown says nothing
task('unknown', async (x: unknown) => String(x))
// @ts-expect-error a promise inside
task('promise', async (x: { later: Promise<number> }) => x.later)

// options
// @ts-expect-error an option that does not exist
task('typo', { timout: 5 }, async () => {})
// @ts-expect-error a wrong option type
task('timeout', { timeout: '5s' }, async () => {})
