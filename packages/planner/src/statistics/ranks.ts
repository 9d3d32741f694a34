/** Spearman's rank correlation of paired samples; 0 when one of them does not vary. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ra, rb] = [ranks(a), ranks(b)]
  const middle = (ra.length - 1) / 2
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < ra.length; i++) {
    const [x, y] = [(ra[i] as number) - middle, (rb[i] as number) - middle]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

/** Rank of each value from 0; equal values share the mean of theirs. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (x, y) => (values[x] as number) - (values[y] as number),
  )
  const found = new Float64Array(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++
    for (let i = from; i < to; i++) found[order[i] as number] = (from + to - 1) / 2
    from = to
  }
  return found
}
