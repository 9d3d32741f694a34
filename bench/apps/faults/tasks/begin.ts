import { task } from 'fusionize'
import { first } from '../buckets/first'
import { replies } from '../buckets/replies'
import { second } from '../buckets/second'
import { ATTEMPTS, type Walk, WITHIN_MS } from '../lib/work'
import step1 from './step-1'

/** Begins a chain of four steps; the last one replies. */
export default task('begin', { http: 'POST /begin', result: replies }, async (walk: Walk) => {
  await first.put('walk', walk)
  await second.expect({ key: 'walk', from: step1, within: WITHIN_MS, attempts: ATTEMPTS, rerun: walk.rerun })
})
