import { type ReplayOrder, replay } from '../replay/replay.js'

process.on('message', async (order: ReplayOrder) => process.send?.(await replay(order)))
process.on('disconnect', () => process.exit(0))
