import { packNumbers } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { product } from '../lib/matrix'
import { type Block, sketchWidth } from '../lib/request'
import { sketchMatrix } from '../lib/sketch-matrix'
import { readBlock } from '../lib/store'

/** What is left of a block. */
export interface Sketch {
  /** Columns of the sketch. */
  width: number
  /** Its numbers, packed. */
  rows: string
}

/** Multiplies a block by the random matrix: each row becomes a short one. */
export default task('sketch', async (block: Block): Promise<Sketch> => {
  const short = product(await readBlock(block), sketchMatrix(block.job))
  return { width: sketchWidth(block.job), rows: packNumbers(short.values) }
})
