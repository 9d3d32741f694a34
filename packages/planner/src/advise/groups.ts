import { outcomeOf, type Requests, savedMs, savedUsd } from './figures.js'
import type { Observed, SeenEdge } from './observe.js'
import type { Replayer } from './replayer.js'
import type { GroupAdvice } from './types.js'
import { digits, interval, names } from './words.js'

/** The functions of the fused setup: each host with what is inline from it on. */
export function groupsOf(
  seen: Observed,
  fused: ReadonlySet<number>,
  requests: Requests,
  replayed: Replayer,
  seed: number,
): GroupAdvice[] {
  const edges = [...seen.edges.values()]
  const isInline = (edge: SeenEdge) => fused.has(edge.number) || edge.remote === 0
  const hosts = new Set([...seen.entries.keys(), ...edges.filter((edge) => !isInline(edge)).map(({ to }) => to)])
  const groups = [...hosts].map((host) => groupOf(host, seen, edges.filter(isInline), fused, requests, replayed, seed))
  return groups
}

function groupOf(
  host: string,
  seen: Observed,
  inline: readonly SeenEdge[],
  fused: ReadonlySet<number>,
  requests: Requests,
  replayed: Replayer,
  seed: number,
): GroupAdvice {
  const members = [host]
  const inside: SeenEdge[] = []
  for (const member of members)
    for (const edge of inline) {
      if (edge.from !== member) continue
      inside.push(edge)
      if (!members.includes(edge.to)) members.push(edge.to)
    }
  const group: GroupAdvice = { host, members, sampled: 0, why: [] }
  const functions = new Set(members.map((task) => seen.nodes.get(task)?.function ?? task))
  const sizes = [...seen.sizes.values()].filter((size) => functions.has(size.function)).map(({ memoryMb }) => memoryMb)
  if (sizes.length > 0 && sizes.every((size) => size !== undefined)) group.memoryMb = Math.max(...(sizes as number[]))
  const own = new Set(inside.filter(({ number }) => fused.has(number)).map(({ number }) => number))
  if (own.size === 0) {
    group.why.push(
      members.length > 1
        ? 'It is one function already.'
        : 'Nothing that it calls, or that calls it, is worth fusing with it.',
    )
    return group
  }
  const some = Int32Array.from(new Set([...own].flatMap((edge) => [...(requests.byEdge.get(edge) ?? [])]))).sort()
  const outcome = outcomeOf(requests, replayed, (edge) => own.has(edge), some)
  group.sampled = some.length
  group.savesMs = savedMs(requests, outcome, some, seed)
  group.savesPerMillionUsd = savedUsd(requests, outcome, seed)
  const [before, after] = [requests.now, outcome.computing].map(
    (list) => some.reduce((sum, i) => sum + (list[i]?.invocations ?? 0), 0) / some.length,
  )
  group.why.push(
    `${host} waits for ${names(members.slice(1))}: in one process there is no hand-over, and nobody is billed for waiting.`,
    `${digits(before as number)} invocations per request become ${digits(after as number)}.`,
    `It saves ${interval(group.savesMs)} ms per request that comes through it${group.savesPerMillionUsd ? ` and ${interval(group.savesPerMillionUsd)} USD per million requests` : ''}.`,
  )
  if (group.memoryMb !== undefined && new Set(sizes).size > 1)
    group.why.push(`It has ${group.memoryMb} MB, the largest of its members' sizes, so that none of them gets slower.`)
  return group
}

/** The functions in short, as setups are written: `(A,B)-(C)`; the host first. */
export function notationOf(groups: readonly GroupAdvice[]): string {
  return groups.map(({ members }) => `(${members.join(',')})`).join('-')
}
