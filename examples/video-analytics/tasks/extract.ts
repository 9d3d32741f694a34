import { packBytes, unpackBytes } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { decodeChunk } from '../lib/codec'
import type { ChunkFindings } from '../lib/findings'
import { chunkKey } from '../lib/recording'
import type { Frame } from '../lib/render'
import { representativeOf } from '../lib/representative'
import { store } from '../lib/store'
import classify from './classify'
import type { Chunk } from './split'

/** Decodes a chunk and has the frame that stands for it looked at. */
export default task('extract', async ({ video, chunk }: Chunk): Promise<ChunkFindings> => {
  const bytes = await store.get<string>(chunkKey(video, chunk))
  if (bytes === undefined) throw new Error(`chunk ${chunk} of video ${video.video} is not in the store`)
  const frames = decodeChunk(unpackBytes(bytes))
  const frame = representativeOf(frames)
  const { width, height, pixels } = frames[frame] as Frame
  return { chunk, frame, ...(await classify({ width, height, pixels: packBytes(pixels) })) }
})
