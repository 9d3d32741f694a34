import { join } from 'node:path'
import { task } from 'fusionize'
import { replies } from '../buckets/replies'
import { madeInput, recordsIn, workFolder } from '../lib/files'
import { planOf } from '../lib/plan'
import { checkRequest, type SortRequest } from '../lib/request'
import split from './split'

/** Sorts a file; the reply comes when all of it is written and checked. */
export default task('sort', { http: 'POST /sort', result: replies }, async (request: SortRequest, { session }) => {
  checkRequest(request)
  const { file, seed = 1, records = 100_000 } = request
  const input = file === undefined ? madeInput(seed, records) : join(workFolder(), file)
  const folder = join(workFolder(), `sorted-${session.replaceAll(/[^\w-]/g, '-')}`)
  await split({ ...planOf(request, recordsIn(input)), input, folder })
})
