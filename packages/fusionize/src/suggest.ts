/** `, did you mean 'x'?` when a known name is close to `name`, else nothing. */
export function suggest(name: string, known: readonly string[]): string {
  const near = known
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near && near.distance <= Math.max(1, Math.floor(name.length / 3)) ? `, did you mean '${near.other}'?` : ''
}

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  const at = (cells: number[], j: number) => cells[j] as number
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swaps = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = i > 1 && j > 1 && swaps ? at(before, j - 2) + 1 : replaced
      next.push(Math.min(at(next, j - 1) + 1, at(row, j) + 1, replaced, swapped))
    }
    before = row
    row = next
  }
  return at(row, b.length)
}
