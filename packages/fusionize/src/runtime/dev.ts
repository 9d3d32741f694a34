/** Development's look at what crosses a task boundary; production uses `noCheck`. */
export interface DevCheck {
  /** Called with the input that the callee got, before it runs; the returned function is called after it ran. */
  input(task: string, input: unknown): (() => void) | undefined
  /** Called with what the task returned, before it is copied. */
  output(task: string, output: unknown): void
}

export const noCheck: DevCheck = {
  input: () => undefined,
  output: () => {},
}

/**
 * Reports, once per task and place, a task that changes its input (its caller will not see the change) and a value that is not the
 * same after the wire (a Date becomes a string, a Map becomes {}…).
 * @param report gets the task's name and what to do
 */
export function devCheck(report: (task: string, message: string) => void): DevCheck {
  const told = new Set<string>()
  const tell = (task: string, message: string) => {
    const key = `${task}\n${message}`
    if (told.has(key)) return
    told.add(key)
    report(task, message)
  }
  return {
    input(task, input) {
      if (typeof input !== 'object' || input === null) return undefined
      const before = snapshot(input)
      return () => {
        if (snapshot(input) !== before)
          tell(task, `task '${task}' changes its input; callers never see that: return a changed copy`)
      }
    },
    output(task, output) {
      const found = unfaithful(output, 'its result')
      if (found) tell(task, `task '${task}' returns something that does not survive the wire: ${found}`)
    },
  }
}

function snapshot(value: unknown): string {
  return value instanceof Uint8Array
    ? digest(value)
    : JSON.stringify(value, (_, x) => (x instanceof Uint8Array ? digest(x) : x))
}

/** Tells bytes apart; of many it looks at some. */
function digest(bytes: Uint8Array): string {
  let hash = bytes.length
  const step = 1 + (hash >> 16)
  for (let i = 0; i < bytes.length; i += step) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
  return `bytes ${hash}`
}

/** Where and why a value changes on the wire; undefined when it does not. */
export function unfaithful(value: unknown, path: string, seen = new Set<object>()): string | undefined {
  switch (typeof value) {
    case 'function':
    case 'symbol':
    case 'bigint':
      return `${path} is a ${typeof value}`
    case 'number':
      return Number.isFinite(value) ? undefined : `${path} is ${value} and arrives as null`
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Uint8Array)
    return path === 'its result' ? undefined : `${path} holds bytes inside JSON; return bytes alone`
  if (seen.has(value)) return `${path} is part of a cycle`
  if (Array.isArray(value)) {
    seen.add(value)
    for (const [i, item] of value.entries()) {
      const found =
        item === undefined ? `${path}[${i}] is undefined and arrives as null` : unfaithful(item, `${path}[${i}]`, seen)
      if (found) return found
    }
    seen.delete(value)
    return undefined
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return `${path} is a ${value.constructor?.name ?? 'class instance'} and arrives as plain JSON`
  seen.add(value)
  for (const [key, item] of Object.entries(value)) {
    const found = unfaithful(item, `${path}.${key}`, seen)
    if (found) return found
  }
  seen.delete(value)
  return undefined
}
