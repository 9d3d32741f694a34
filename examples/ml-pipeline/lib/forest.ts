import { draws } from '@fusionize/example-kit'
import { classes, classOf, commonest, type Examples, type Growth, growTree, type Tree } from './tree'

/** How a forest is trained. */
export interface Settings extends Growth {
  trees: number
}

/** A trained forest. */
export interface Forest {
  trees: Tree[]
  /** Share of the examples that the trees that did not see them get right: what the forest is worth, without touching the test set. */
  outOfBag: number
  /** Bounds that were compared: the work that the training was. */
  compared: number
}

/** The forests that are trained, from small to large: the last is many times the work of the first. */
export const grid: readonly Settings[] = [
  { trees: 4, depth: 4, tried: 2, leaf: 3 },
  { trees: 4, depth: 8, tried: 4, leaf: 2 },
  { trees: 6, depth: 6, tried: 3, leaf: 2 },
  { trees: 8, depth: 8, tried: 2, leaf: 2 },
  { trees: 8, depth: 10, tried: 4, leaf: 1 },
  { trees: 10, depth: 8, tried: 4, leaf: 2 },
  { trees: 12, depth: 10, tried: 4, leaf: 1 },
  { trees: 14, depth: 12, tried: 5, leaf: 1 },
  { trees: 20, depth: 12, tried: 6, leaf: 1 },
  { trees: 30, depth: 14, tried: 8, leaf: 1 },
]

/** Trains a forest, each tree on a sample of its own (bagging). @param name what its chances follow from */
export function trainForest(examples: Examples, { trees, ...growth }: Settings, name: string): Forest {
  const n = examples.labels.length
  const votes = Array.from({ length: n }, () => new Array<number>(classes).fill(0))
  let compared = 0
  const grown = Array.from({ length: trees }, (_, i) => {
    const draw = draws(`${name}/${i}`)
    const bag = Array.from({ length: n }, () => Math.floor(draw() * n))
    const { tree, compared: own } = growTree(examples, bag, growth, draw)
    compared += own
    const seen = new Set(bag)
    for (const [row, counts] of votes.entries()) if (!seen.has(row)) vote(counts, classOf(tree, examples, row))
    return tree
  })
  const judged = votes.map((counts, row) => ({ counts, row })).filter(({ counts }) => counts.some((count) => count > 0))
  const right = judged.filter(({ counts, row }) => commonest(counts) === examples.labels[row]).length
  return { trees: grown, outOfBag: judged.length === 0 ? 0 : right / judged.length, compared }
}

/** Share of the examples that forests get right when all their trees vote. */
export function accuracyOf(forests: readonly Pick<Forest, 'trees'>[], examples: Examples): number {
  const right = [...examples.labels].filter((label, row) => {
    const counts = new Array<number>(classes).fill(0)
    for (const { trees } of forests) for (const tree of trees) vote(counts, classOf(tree, examples, row))
    return commonest(counts) === label
  })
  return right.length / examples.labels.length
}

function vote(counts: number[], label: number): void {
  counts[label] = (counts[label] as number) + 1
}
