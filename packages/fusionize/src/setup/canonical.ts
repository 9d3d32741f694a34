import { sha256 } from './sha256.js'
import type { FunctionSpec, FusionSetup } from './types.js'

/**
 * The one form of all setups that mean the same: keys and lists sorted, duplicates removed, every field present, and
 * entries that only state a default (bundle 1, passing `payload`) left out.
 */
export function normalizeSetup(setup: FusionSetup): FusionSetup {
  return { functions: sortedRecord(setup.functions, normalizeSpec) }
}

/** Canonical JSON: equal for two setups exactly when they are equal. */
export function canonical(setup: FusionSetup): string {
  return JSON.stringify(normalizeSetup(setup))
}

/** Id of a setup: the first 12 hex digits of the SHA-256 of its canonical form. */
export function setupId(setup: FusionSetup): string {
  return sha256(canonical(setup)).slice(0, 12)
}

/** Whether two setups are the same but for the order of keys and lists, duplicates and stated defaults. */
export function setupsEqual(a: FusionSetup, b: FusionSetup): boolean {
  return canonical(a) === canonical(b)
}

function normalizeSpec(spec: FunctionSpec): FunctionSpec {
  const { call, send, map } = spec.inline
  return {
    memory: spec.memory,
    inline: { call: sortedSet(call), send: sortedSet(send), map: sortedSet(map) },
    bundle: sortedRecord(spec.bundle, (items) => (items === 1 ? undefined : items)),
    buckets: sortedSet(spec.buckets),
    concurrency: spec.concurrency,
    ...(spec.parallel && { parallel: spec.parallel }),
    passing: sortedRecord(spec.passing, (how) => (how === 'payload' ? undefined : how)),
    prewarm: sortedRecord(spec.prewarm, (ms) => ms),
  }
}

/** Sorted by code unit, so that the order is the same in every locale. */
export function sortedSet(names: Iterable<string>): string[] {
  return [...new Set(names)].sort()
}

function sortedRecord<V>(record: Record<string, V>, change: (value: V) => V | undefined): Record<string, V> {
  const result: Record<string, V> = {}
  for (const key of Object.keys(record).sort()) {
    const value = change(record[key] as V)
    if (value !== undefined) result[key] = value
  }
  return result
}
