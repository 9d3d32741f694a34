import { task } from 'fusionize'
import { type ChunkFindings, checkFindings, type Summary, summaryOf } from '../lib/findings'
import { nameOf, type Video } from '../lib/request'
import { store } from '../lib/store'

/** Adds up what was found, after comparing it with what was there. */
export default task(
  'collect',
  async ({ video, findings }: { video: Video; findings: ChunkFindings[] }): Promise<Summary> => {
    checkFindings(video, findings)
    const summary = summaryOf(video, findings)
    await store.put(`summaries/${nameOf(video)}`, summary)
    return summary
  },
)
