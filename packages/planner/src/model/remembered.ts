import type { Basis, Doubt } from './basis.js'

/** As `remembered`, of a name and a size. */
export function remembered2<T>(of: (key: string, memoryMb: number) => T): (key: string, memoryMb: number) => T {
  const bySize = remembered(() => new Map<number, T>())
  return (key, memoryMb) => {
    const known = bySize(key)
    if (!known.has(memoryMb)) known.set(memoryMb, of(key, memoryMb))
    return known.get(memoryMb) as T
  }
}

/** A value, and what was assumed for it. */
interface Said<T> {
  value: T
  assumed: string[]
  open: Doubt[]
}

/** Works a value out once for each key. */
export function remembered<T>(of: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    if (!known.has(key)) known.set(key, of(key))
    return known.get(key) as T
  }
}

/** Values by object and number, each worked out once; what was assumed for one is said each time. */
export function saidOnce<T>({ assumed, open }: Pick<Basis, 'assumed' | 'open'>) {
  const known = new WeakMap<object, Map<number, Said<T>>>()
  return (of: object, key: number, work: () => T): T => {
    const byKey = known.get(of) ?? new Map<number, Said<T>>()
    known.set(of, byKey)
    const found = byKey.get(key)
    if (found) {
      if (found.assumed.length > 0) for (const text of found.assumed) assumed.add(text)
      if (found.open.length > 0) for (const doubt of found.open) open.add(doubt)
      return found.value
    }
    const before = { assumed: [...assumed], open: [...open] }
    assumed.clear()
    open.clear()
    const value = work()
    byKey.set(key, { value, assumed: [...assumed], open: [...open] })
    for (const text of before.assumed) assumed.add(text)
    for (const doubt of before.open) open.add(doubt)
    return value
  }
}
