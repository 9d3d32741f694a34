import { packNumbers, unpackNumbers } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { squareSum, transposedProduct } from '../lib/matrix'
import { type Block, sketchWidth } from '../lib/request'
import { readBlock } from '../lib/store'

/** A block as the basis sees it. */
export interface Projection {
  /** Sketch width × columns of the matrix, packed. */
  values: string
  /** Sum of the squares of the block's elements. */
  squares: number
}

/** Multiplies a block by its rows of the basis. */
export default task('project', async ({ job, block, basis }: Block & { basis: string }): Promise<Projection> => {
  const rows = await readBlock({ job, block })
  const own = { rows: rows.rows, columns: sketchWidth(job), values: unpackNumbers(basis) }
  return { values: packNumbers(transposedProduct(own, rows).values), squares: squareSum(rows) }
})
