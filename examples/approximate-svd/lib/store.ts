import { fileStore, packNumbers, unpackNumbers } from '@fusionize/example-kit'
import { knownRows } from './known-matrix'
import type { Matrix } from './matrix'
import { type Block, nameOf, rowsOfBlock } from './request'

/** Where matrices and results are kept: the folder `SVD_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.SVD_STORE ?? '.fusionize/store')

const keyOf = ({ job, block }: Block) => `matrices/${nameOf(job)}/${String(block).padStart(3, '0')}`

/** Puts a block of the matrix into the store, where it is not there yet. */
export async function keepBlock(block: Block): Promise<void> {
  if ((await store.get(keyOf(block))) !== undefined) return
  const { first, count } = rowsOfBlock(block.job, block.block)
  await store.put(keyOf(block), packNumbers(knownRows(block.job, first, count).values))
}

/** @throws {Error} when it is not in the store, or not as large as it should be */
export async function readBlock(block: Block): Promise<Matrix> {
  const text = await store.get<string>(keyOf(block))
  if (text === undefined) throw new Error(`${keyOf(block)} is not in the store`)
  const { columns } = block.job
  const { count } = rowsOfBlock(block.job, block.block)
  const values = unpackNumbers(text)
  if (values.length !== count * columns)
    throw new Error(`${keyOf(block)} has ${values.length} numbers instead of ${count} × ${columns}`)
  return { rows: count, columns, values }
}
