import { type BucketObject, task } from 'fusionize'
import { boards } from '../buckets/boards'
import { type Board, boardIn } from '../lib/board'
import { nowUs } from '../lib/clock'

let known: { session: string; board: Board } | undefined

export default task('spinner', async ({ value, session }: BucketObject<number>) => {
  const us = nowUs() - value
  if (known?.session !== session) {
    const bytes = await boards.get('board')
    if (bytes === undefined) throw new Error('the session has no board')
    known = { session, board: boardIn(bytes) }
  }
  const { board } = known
  board.us[0] = us
  Atomics.add(board.count, 0, 1)
})
