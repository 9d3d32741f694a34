import { FusionizeError } from 'fusionize'
import { refsIn } from 'fusionize/buckets'
import type { BucketOp, HeldSend } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import type { Sealed } from '../envelope.js'
import { open, seal } from '../seal.js'
import { AWAITED, PASSED_ON } from './answers.js'
import { CLOSED, expectedName, isClosed, namesWith, openName } from './items.js'
import { type BucketPorts, COMMIT_MS, SEND_OPEN_MS } from './ports.js'
import type { Sessions } from './sessions.js'
import { tellAt } from './timer.js'

type Promised = BucketOp & { op: 'promise' }

/** A promise that a task will put a key, as it stands in the session's item. */
interface Expected extends Pick<Promised, 'bucket' | 'key' | 'from' | 'withinMs' | 'attempts' | 'rerun'> {
  /** The run that is under way, from 1. */
  attempt: number
  /** Epoch ms. */
  dueMs: number
  /** What is run again, when it is known. */
  send?: Omit<HeldSend, 'input' | 'known'> & { input: Sealed }
}

export interface ExpectationHelp {
  sessions: Sessions
  /** What a run needs stays, for another one; or need not stay. */
  keep(op: 'name' | 'release', by: string, session: string, bucket: string, refs: readonly string[]): Promise<void>
  handOver(send: HeldSend, attempt?: number): Promise<void>
}

/** Characters of an input in the item. */
const INPUT_CHARS = 4_000

/** Has tasks run again that have not put what they promised: the time doubles with every attempt; the last one leaves a dead letter. */
export class Expectations {
  constructor(
    readonly ports: BucketPorts,
    readonly help: ExpectationHelp,
  ) {}

  /** @returns when the promise is in the table */
  async expect({ bucket, session, key, from, withinMs, attempts, rerun }: Promised): Promise<void> {
    const { sessions } = this.help
    const attempt = 1 + rerunsOf(session)
    const send = rerun === 'session' ? sessions.rootOf(session) : sessions.sentBy(session, from)
    const first = rerun === 'session' ? 1 : attempt
    const dueMs = this.ports.now() + withinMs * 2 ** (first - 1)
    const expected: Expected = { bucket, key, from, withinMs, attempts, rerun, attempt, dueMs }
    const text = JSON.stringify({ ...expected, ...(send && { send: await this.#sealed(session, bucket, send) }) })
    // The same promise again is the first one.
    if (!(await sessions.note(session, { [expectedName(bucket, key)]: text }, [expectedName(bucket, key)]))) return
    await this.#tell(session, expected)
  }

  /** Invocations of the session are handed over: one of them may be what a promise is about. @param item of the session */
  async sent(session: string, item: Item | undefined, sends: readonly HeldSend[]): Promise<void> {
    for (const name of item ? namesWith(item, 'e:') : []) {
      const text = String(item?.[name])
      const expected = JSON.parse(text) as Expected
      const send = sends.findLast((one) => one.task === expected.from)
      if (!send || expected.rerun === 'session' || expected.send?.id === send.id) continue
      const next: Expected = { ...expected, send: await this.#sealed(session, expected.bucket, send) }
      await this.#change(session, { set: { [name]: JSON.stringify(next) }, when: { [name]: text } })
    }
  }

  /** The time of a promise has come. */
  async due(session: string, bucket: string, key: string): Promise<void> {
    const { ports, help } = this
    const name = expectedName(bucket, key)
    const item = await help.sessions.read(session)
    const text = item?.[name]
    if (item === undefined || text === undefined || isClosed(item)) return
    const expected = JSON.parse(String(text)) as Expected
    const { from, attempt, attempts, rerun, dueMs, withinMs, send } = expected
    if (ports.now() < dueMs) return this.#tell(session, expected)
    const what = `task '${from}' has not put '${key}' into bucket '${bucket}' in time`
    if (attempt < attempts && send && rerun === 'source') {
      const next: Expected = { ...expected, attempt: attempt + 1, dueMs: ports.now() + withinMs * 2 ** attempt }
      const set = { [name]: JSON.stringify(next), [openName(send.id)]: ports.now() + SEND_OPEN_MS }
      // Somebody else was told, too.
      if (!(await this.#change(session, { set, when: { [name]: text } }))) return
      ports.log('warn', session, `${what}; run ${next.attempt} of ${attempts}`)
      await help.handOver(await this.#opened(send), next.attempt)
      return this.#tell(session, next)
    }
    if (!(await this.#change(session, { remove: [name], when: { [name]: text } }))) return
    if (attempt < attempts && send && rerun === 'session') {
      await this.#restart(session, item, await this.#opened(send))
      ports.log('warn', session, `${what}; its session is run again`)
    } else if (send) {
      const message = `${what} in ${attempts} runs; see its log, then replay it`
      ports.log('error', session, `${what} in ${attempts} runs`)
      const error = new FusionizeError('TIMEOUT', message, { bucket, key, from })
      await ports.bury(await this.#opened(send), attempt, error)
      // The letter may be replayed: what it needs stays until it expires.
      return help.sessions.look(session)
    } else
      ports.log(
        'error',
        session,
        `${what}, and what should run again is not known: it was not sent before by the run that expects it`,
      )
    await this.#drop(session, expected)
    await help.sessions.look(session)
  }

  /** Promises of the item that somebody should have been told of by now. @param lateMs ms since then */
  async overdue(session: string, item: Item, lateMs: number): Promise<void> {
    for (const name of namesWith(item, 'e:')) {
      const { bucket, key, dueMs } = JSON.parse(String(item[name])) as Expected
      if (dueMs + lateMs < this.ports.now()) await this.due(session, bucket, key)
    }
  }

  /** The session is run again as another, which answers for it. */
  async #restart(session: string, item: Item, root: HeldSend): Promise<void> {
    const again = `${session}+`
    const awaited = item[AWAITED]
    if (awaited !== undefined) {
      await this.help.sessions.note(again, { [AWAITED]: awaited })
      await this.#change(session, { set: { [PASSED_ON]: again }, when: {} })
    }
    await this.help.handOver({ ...root, id: again, session: again })
  }

  async #change(
    session: string,
    { when, ...change }: { set?: Item; remove?: string[]; when: Record<string, string | number> },
  ): Promise<boolean> {
    const update = { ...change, when: { ...when, [CLOSED]: undefined } }
    return (await this.help.sessions.change(session, update)).done
  }

  #tell(session: string, { bucket, key, dueMs }: Expected): Promise<void> {
    return tellAt(this.ports, { fusionize: 'time', at: dueMs, bucket, session, expects: key })
  }

  async #sealed(session: string, bucket: string, { known: _, input, ...send }: HeldSend) {
    const refs = refsIn(input).map(({ ref }) => ref)
    if (refs.length > 0) await this.help.keep('name', `run ${send.id}`, session, bucket, refs)
    return { ...send, input: await seal(input, INPUT_CHARS, this.ports.store, this.ports.now() + COMMIT_MS) }
  }

  async #opened({ input, ...send }: NonNullable<Expected['send']>): Promise<HeldSend> {
    return { ...send, input: await open(input, this.ports.store, this.ports.now() + COMMIT_MS) }
  }

  async #drop(session: string, { bucket, send }: Expected): Promise<void> {
    const refs = send ? refsIn((await this.#opened(send)).input).map(({ ref }) => ref) : []
    if (refs.length > 0) await this.help.keep('release', `run ${send?.id}`, session, bucket, refs)
  }
}

/** How often the session's request was run again: each time another sign. */
function rerunsOf(session: string): number {
  return session.length - session.replace(/\++$/, '').length
}
