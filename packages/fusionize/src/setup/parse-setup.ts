import { FusionizeError } from '../errors.js'
import { suggest } from '../suggest.js'
import { normalizeSetup } from './canonical.js'
import { isFusible } from './fused-buckets.js'
import { artifactTasks, evaluatedBuckets, reachableFunctions, takenInline } from './reach.js'
import { defaultSpec } from './reference-setups.js'
import type { App, BucketName, FunctionSpec, FusionSetup, Mode, TaskName } from './types.js'
import { modes } from './types.js'

/**
 * Reads the notation that `printSetup` describes; spaces and line breaks are free.
 * With `app`, unknown names are errors, functions that nothing can reach may be missing (they become remote, as large as the
 * first function that runs their task), and routes that no call in the source can take are dropped, as are buckets into which no task of
 * the function can put.
 * @throws {FusionizeError} `INVALID_SETUP`: the position and what was expected there
 */
export function parseSetup(text: string, app?: App): FusionSetup {
  const setup = normalizeSetup({ functions: new Reader(text, app).setup() })
  return app ? completed(app, setup, text) : setup
}

function completed(app: App, setup: FusionSetup, text: string): FusionSetup {
  const missing = Object.keys(app.tasks).filter((task) => !Object.hasOwn(setup.functions, task))
  const needed = missing.find((task) => reachableFunctions(app, setup).includes(task))
  const groups = Object.entries(setup.functions)
  const [, first] = groups[0] as [TaskName, FunctionSpec]
  if (needed !== undefined)
    throw parseError(
      text,
      text.length,
      `'-(${needed})@${first.memory}': '${needed}' is an entry or called remotely, so it needs a function of its own`,
    )
  const functions: FusionSetup['functions'] = {}
  for (const [fn, spec] of groups)
    functions[fn] = { ...spec, inline: takenInline(app, setup, fn), buckets: evaluatedBuckets(app, setup, fn) }
  for (const task of missing) {
    const host = groups.find(([fn]) => artifactTasks(app, setup, fn).includes(task))
    functions[task] = defaultSpec((host?.[1] ?? first).memory)
  }
  return normalizeSetup({ functions })
}

/** A cursor over the text; every method reads one thing or throws. */
class Reader {
  private position = 0

  constructor(
    private readonly text: string,
    private readonly app: App | undefined,
  ) {}

  setup(): FusionSetup['functions'] {
    const functions: FusionSetup['functions'] = {}
    do {
      const [fn, spec] = this.group(functions)
      functions[fn] = spec
    } while (this.takes('-'))
    this.skipSpace()
    if (this.position < this.text.length) this.fail("'-' and another group, or the end")
    return functions
  }

  private group(functions: FusionSetup['functions']): [TaskName, FunctionSpec] {
    this.expect('(')
    const fn = this.task((name) => (Object.hasOwn(functions, name) ? `'${name}' has a group already` : undefined))
    const inline: FunctionSpec['inline'] = { call: [], send: [], map: [] }
    const members = new Set<TaskName>()
    while (this.takes(',')) {
      const member = this.task((name) => (members.has(name) ? `'${name}' is listed already` : undefined))
      members.add(member)
      for (const mode of this.modes()) inline[mode].push(member)
    }
    const buckets = this.buckets()
    this.expect(')', buckets.length > 0 ? "',' and another bucket, or ')'" : "',' and another task, or ')'")
    this.expect('@', "'@' and the memory in MB")
    const spec = { ...defaultSpec(this.number('the memory in MB')), inline, buckets }
    if (this.takes('[')) {
      do this.option(spec)
      while (this.takes(','))
      this.expect(']', "',' and another option, or ']'")
    }
    return [fn, spec]
  }

  private buckets(): BucketName[] {
    const read: BucketName[] = []
    if (!this.takes('|')) return read
    do read.push(this.bucket(read))
    while (this.takes(','))
    return read
  }

  private bucket(before: readonly BucketName[]): BucketName {
    const start = this.skipSpace()
    const name = this.name('the name of a bucket')
    if (before.includes(name)) throw parseError(this.text, start, `another bucket: '${name}' is listed already`)
    if (!this.app || isFusible(this.app, name)) return name
    const known = Object.keys(this.app.buckets ?? {})
    const why = known.includes(name)
      ? `a bucket that a function can evaluate: '${name}' has a trigger with a clock or for more than one session`
      : `a bucket of '${this.app.name}', but '${name}' is none${suggest(name, known)}`
    throw parseError(this.text, start, why)
  }

  private modes(): readonly Mode[] {
    if (!this.takes(':')) return modes
    const read: Mode[] = []
    do read.push(this.oneOf(modes))
    while (this.takes('+'))
    return read
  }

  private option(spec: FunctionSpec): void {
    const keyword = this.oneOf(['concurrency', 'loop', 'threads', 'processes', 'bundle', 'pass', 'prewarm'] as const)
    if (keyword === 'loop' || keyword === 'threads' || keyword === 'processes') spec.parallel = keyword
    else if (keyword === 'concurrency') spec.concurrency = this.number('the requests at a time per sandbox')
    else {
      const task = this.task()
      if (keyword === 'bundle') spec.bundle[task] = this.number('the items per invocation')
      else if (keyword === 'pass') spec.passing[task] = this.oneOf(['payload', 'local', 'direct', 'store'] as const)
      else {
        spec.prewarm[task] = this.number("the delay in ms, as in '250ms'")
        this.expect('ms')
      }
    }
  }

  /** A task's name; `refuse` may say why it cannot stand here. */
  private task(refuse?: (name: TaskName) => string | undefined): TaskName {
    const start = this.skipSpace()
    const name = this.name('the name of a task')
    const known = this.app && Object.keys(this.app.tasks)
    if (known && !known.includes(name))
      throw parseError(this.text, start, `a task of '${this.app?.name}', but '${name}' is none${suggest(name, known)}`)
    const why = refuse?.(name)
    if (why) throw parseError(this.text, start, `another task: ${why}`)
    return name
  }

  private oneOf<T extends string>(words: readonly T[]): T {
    const start = this.skipSpace()
    const word = this.match(/[a-z]+/y)
    const found = words.find((known) => known === word)
    if (found === undefined) throw parseError(this.text, start, `one of ${words.join(', ')}`)
    return found
  }

  private name(what: string): string {
    return this.match(/[A-Za-z][A-Za-z0-9_.-]*/y) ?? this.fail(what)
  }

  private number(what: string): number {
    return Number(this.match(/\d+(\.\d+)?(e[+-]?\d+)?/y) ?? this.fail(what))
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.skipSpace()
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.position += found.length
    return found
  }

  private takes(token: string): boolean {
    const found = this.text.startsWith(token, this.skipSpace())
    if (found) this.position += token.length
    return found
  }

  private expect(token: string, what = `'${token}'`): void {
    if (!this.takes(token)) this.fail(what)
  }

  private skipSpace(): number {
    while (/\s/.test(this.text.charAt(this.position))) this.position++
    return this.position
  }

  private fail(expected: string): never {
    throw parseError(this.text, this.skipSpace(), expected)
  }
}

function parseError(text: string, position: number, expected: string): FusionizeError {
  const found = position < text.length ? `'${text.slice(position, position + 12)}'` : 'the end'
  return new FusionizeError(
    'INVALID_SETUP',
    `the setup notation is wrong at position ${position + 1} (${found}): expected ${expected}`,
    { position, expected, text },
  )
}
