import { type Distribution, mergeDistributions } from '../statistics/distribution.js'
import { mergePairs } from '../statistics/pairs.js'
import type {
  BucketProfile,
  EdgeProfile,
  FiringProfile,
  FunctionProfile,
  Profile,
  PutProfile,
  TaskProfile,
  ThreadProfile,
} from './types.js'

type SizeProfile = TaskProfile['sizes'][string]

/** The profile of what both profiles saw; associative and commutative. Neither is changed. */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  return {
    v: 1,
    ...sums(a, b, ['requests', 'records', 'retries', 'duplicates', 'late', 'unmatched']),
    firstRequest: first(a, b),
    lastRequest: Math.max(a.lastRequest, b.lastRequest),
    traces: sums(a.traces, b.traces, ['complete', 'incomplete']),
    tasks: mergeMaps(a.tasks, b.tasks, mergeTasks),
    edges: mergeMaps(a.edges, b.edges, mergeEdges),
    functions: mergeMaps(a.functions, b.functions, mergeFunctions),
    ...optional('buckets', a, b, mergeBuckets),
    ...optional('startUps', a, b, mergePairs),
  }
}

function first(a: Profile, b: Profile): number {
  if (a.requests === 0) return b.firstRequest
  return b.requests === 0 ? a.firstRequest : Math.min(a.firstRequest, b.firstRequest)
}

function mergeTasks(a: TaskProfile, b: TaskProfile): TaskProfile {
  return { ...sums(a, b, ['runs', 'errors']), sizes: mergeMaps(a.sizes, b.sizes, mergeSizes) }
}

function mergeSizes(a: SizeProfile, b: SizeProfile): SizeProfile {
  return {
    ...sums(a, b, ['runs', 'workMs', 'cpuMs', 'cpuOwnMs', 'cpuRuns']),
    ...distributions(a, b, ['ownMs']),
    ...optional('threads', a, b, (x, y): ThreadProfile => distributions(x, y, ['cpuMs', 'waitMs'])),
  }
}

function mergeEdges(a: EdgeProfile, b: EdgeProfile): EdgeProfile {
  return {
    ...a,
    ...sums(a, b, ['calls', 'errors', 'parallel', 'addedMs']),
    ...distributions(a, b, ['waitMs', 'bytesIn', 'bytesOut']),
    beside: mergeMaps(a.beside, b.beside, (x, y) => x + y),
    overheadMs: mergeMaps(a.overheadMs, b.overheadMs, mergeDistributions),
    ...optional('buckets', a, b, (x: number, y: number) => x + y),
    ...optional('together', a, b, mergePairs),
    ...optional('handOver', a, b, mergePairs),
  }
}

function mergeBuckets(a: BucketProfile, b: BucketProfile): BucketProfile {
  return {
    puts: mergeMaps(a.puts, b.puts, (x, y): PutProfile => sums(x, y, ['runs', 'puts', 'bytes'])),
    firings: mergeMaps(
      a.firings,
      b.firings,
      (x, y): FiringProfile => ({
        ...x,
        ...sums(x, y, ['firings']),
        ...distributions(x, y, ['objects', 'bytes', 'waitMs']),
      }),
    ),
  }
}

function mergeFunctions(a: FunctionProfile, b: FunctionProfile): FunctionProfile {
  return {
    ...a,
    ...sums(a, b, ['invocations', 'errors', 'coldStarts', 'forcedColdStarts', 'prewarmedColdStarts']),
    ...distributions(a, b, ['wallMs', 'replyMs', 'afterMs', 'coldMs']),
    concurrent: Math.max(a.concurrent, b.concurrent),
    peakMb: Math.max(a.peakMb, b.peakMb),
  }
}

function mergeMaps<T>(a: Record<string, T>, b: Record<string, T>, merge: (a: T, b: T) => T): Record<string, T> {
  const out: Record<string, T> = { ...a }
  for (const [key, value] of Object.entries(b)) out[key] = Object.hasOwn(a, key) ? merge(a[key] as T, value) : value
  return out
}

/** Merges maps that may be absent: absent in both is absent. */
function optional<K extends string, T>(
  key: K,
  a: Partial<Record<K, Record<string, T>>>,
  b: Partial<Record<K, Record<string, T>>>,
  merge: (a: T, b: T) => T,
): Partial<Record<K, Record<string, T>>> {
  if (!a[key] && !b[key]) return {}
  return { [key]: mergeMaps(a[key] ?? {}, b[key] ?? {}, merge) } as Partial<Record<K, Record<string, T>>>
}

function sums<K extends string>(a: Record<K, number>, b: Record<K, number>, keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as Record<K, number>
}

function distributions<K extends string>(
  a: Record<K, Distribution>,
  b: Record<K, Distribution>,
  keys: readonly K[],
): Record<K, Distribution> {
  return Object.fromEntries(keys.map((key) => [key, mergeDistributions(a[key], b[key])])) as Record<K, Distribution>
}
