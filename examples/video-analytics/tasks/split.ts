import { task } from 'fusionize'
import { chunkKey, recordingOf } from '../lib/recording'
import type { Video } from '../lib/request'
import { store } from '../lib/store'

/** A chunk to look at. */
export interface Chunk {
  video: Video
  chunk: number
}

/** Cuts a recording into chunks that can be worked on apart. */
export default task('split', async (video: Video): Promise<Chunk[]> => {
  const { chunks } = await recordingOf(video)
  await Promise.all(chunks.map((bytes, chunk) => store.put(chunkKey(video, chunk), bytes)))
  return chunks.map((_, chunk) => ({ video, chunk }))
})
