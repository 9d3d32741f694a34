/**
 * A setup's notation in at most `width` characters. When it is too long: functions that run nothing but their own task and have the same size
 * are counted (`7 alone@128`), then the members of a group are (`(check-air, +2)@512`), then the end is cut off.
 */
export function shortenNotation(notation: string, width: number): string {
  if (notation.length <= width) return notation
  const groups = notation.split(/(?<=\)@[^()]*)-(?=\()/)
  const counted = countSingles(groups)
  if (counted.length <= width) return counted
  const folded = countSingles(groups.map(foldMembers))
  return folded.length <= width ? folded : `${folded.slice(0, Math.max(0, width - 1))}…`
}

function countSingles(groups: readonly string[]): string {
  const singles = new Map<string, number>()
  const others: string[] = []
  for (const [i, group] of groups.entries()) {
    const size = /^\([^,()]+\)@(\d+)$/.exec(group)?.[1]
    // The first group is the entry; it keeps its name.
    if (size !== undefined && i > 0) singles.set(size, (singles.get(size) ?? 0) + 1)
    else others.push(group)
  }
  return [...others, ...[...singles].map(([size, count]) => `${count} alone@${size}`)].join('-')
}

function foldMembers(group: string): string {
  const [, members, rest] = /^\((.*)\)(@.*)$/.exec(group) ?? []
  if (members === undefined) return group
  const [host, ...others] = members.split(', ')
  return others.length === 0 ? group : `(${host}, +${others.length})${rest}`
}
