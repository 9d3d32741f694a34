/** Examples to learn from: rows of features, and the class of each. */
export interface Examples {
  features: Float64Array
  /** Features of a row. */
  width: number
  labels: Uint8Array
}

/** How trees grow. */
export interface Growth {
  /** Questions from the root to a leaf, at most. */
  depth: number
  /** Features that are looked at for each question, drawn anew each time. */
  tried: number
  /** Examples of a leaf, at least. */
  leaf: number
}

export const classes = 10

/**
 * A decision tree, four numbers for each node: feature, bound, and the nodes for values up to the bound and above it. A leaf has the feature −1
 * and its class instead of a bound.
 */
export type Tree = number[]

/**
 * Grows a tree by the Gini impurity (Breiman and others, Classification and Regression Trees, 1984), looking at some features only for each
 * question, as random forests do (Breiman 2001).
 * @param rows the examples to grow it from; one may be there several times
 * @returns the tree, and how many bounds were compared
 */
export function growTree(
  examples: Examples,
  rows: readonly number[],
  growth: Growth,
  draw: () => number,
): { tree: Tree; compared: number } {
  const { features, width, labels } = examples
  const tree: Tree = []
  let compared = 0

  function grow(own: readonly number[], depth: number): number {
    const node = tree.length / 4
    const counts = countsOf(own, labels)
    tree.push(-1, commonest(counts), 0, 0)
    if (depth === growth.depth || own.length < 2 * growth.leaf || counts.some((count) => count === own.length))
      return node
    const best = bestQuestion(own, counts)
    if (!best) return node
    const isLow = (row: number) => (features[row * width + best.feature] as number) <= best.bound
    tree[4 * node] = best.feature
    tree[4 * node + 1] = best.bound
    tree[4 * node + 2] = grow(own.filter(isLow), depth + 1)
    tree[4 * node + 3] = grow(
      own.filter((row) => !isLow(row)),
      depth + 1,
    )
    return node
  }

  function bestQuestion(
    own: readonly number[],
    all: readonly number[],
  ): { feature: number; bound: number } | undefined {
    let best: { feature: number; bound: number } | undefined
    let purest = squares(all) / own.length + 1e-9
    for (const feature of someOf(width, growth.tried, draw)) {
      const at = (row: number) => features[row * width + feature] as number
      const sorted = [...own].sort((a, b) => at(a) - at(b))
      const [low, high] = [all.map(() => 0), [...all]]
      for (let i = 1; i < sorted.length; i++) {
        const [row, next] = [sorted[i - 1] as number, sorted[i] as number]
        const label = labels[row] as number
        low[label] = (low[label] as number) + 1
        high[label] = (high[label] as number) - 1
        if (i < growth.leaf || sorted.length - i < growth.leaf || at(row) === at(next)) continue
        compared++
        // The larger this is the smaller the impurity of both sides together.
        const purity = squares(low) / i + squares(high) / (sorted.length - i)
        if (purity <= purest) continue
        purest = purity
        best = { feature, bound: (at(row) + at(next)) / 2 }
      }
    }
    return best
  }

  grow(rows, 0)
  return { tree, compared }
}

/** The class that a tree gives a row. */
export function classOf(tree: Tree, { features, width }: Pick<Examples, 'features' | 'width'>, row: number): number {
  let node = 0
  for (;;) {
    const feature = tree[4 * node] as number
    if (feature < 0) return tree[4 * node + 1] as number
    const isLow = (features[row * width + feature] as number) <= (tree[4 * node + 1] as number)
    node = tree[4 * node + (isLow ? 2 : 3)] as number
  }
}

/** The class with the most votes, the first of equals. */
export function commonest(counts: readonly number[]): number {
  return counts.reduce((best, count, i) => (count > (counts[best] as number) ? i : best), 0)
}

function countsOf(rows: readonly number[], labels: Uint8Array): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const row of rows) counts[labels[row] as number] = (counts[labels[row] as number] as number) + 1
  return counts
}

function squares(counts: readonly number[]): number {
  let sum = 0
  for (const count of counts) sum += count * count
  return sum
}

function someOf(n: number, count: number, draw: () => number): number[] {
  const left = Array.from({ length: n }, (_, i) => i)
  return Array.from({ length: Math.min(n, count) }, () => left.splice(Math.floor(draw() * left.length), 1)[0] as number)
}
