import { packBytes } from '@fusionize/example-kit'
import { encodeChunk } from './codec'
import { renderChunk } from './render'
import { nameOf, type Video } from './request'
import { sceneOf } from './scene'
import { store } from './store'

/** A recorded video: its chunks as the camera's encoder wrote them, in base64. */
export interface Recording {
  chunks: string[]
}

/** The recording that follows from its number; the camera makes it when it is not in the store yet. */
export async function recordingOf(video: Video): Promise<Recording> {
  const key = `recordings/${nameOf(video)}`
  const kept = await store.get<Recording>(key)
  if (kept) return kept
  const chunks = Array.from({ length: video.chunks }, (_, chunk) =>
    packBytes(encodeChunk(renderChunk(video, chunk, sceneOf(video, chunk)))),
  )
  await store.put(key, { chunks })
  return { chunks }
}

/** Where a chunk is kept for whoever works on it. */
export function chunkKey(video: Video, chunk: number): string {
  return `chunks/${nameOf(video)}/${String(chunk).padStart(3, '0')}`
}
