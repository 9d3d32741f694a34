import { task } from 'fusionize'
import type { Block, SvdJob } from '../lib/request'
import { keepBlock } from '../lib/store'

/** Cuts the matrix into blocks of rows. One that was cut before is found as it is. */
export default task('split', async (job: SvdJob): Promise<Block[]> => {
  const blocks = Array.from({ length: job.blocks }, (_, block) => ({ job, block }))
  await Promise.all(blocks.map(keepBlock))
  return blocks
})
