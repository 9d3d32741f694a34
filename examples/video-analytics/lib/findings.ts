import type { Detection } from './detect'
import type { Video } from './request'
import { placeOf, sceneOf } from './scene'
import { type Kind, kinds } from './shapes'

/** What was found in a chunk. */
export interface ChunkFindings {
  chunk: number
  /** The frame that was looked at. */
  frame: number
  found: Detection[]
  /** Multiplications and additions that it took. */
  operations: number
}

/** What is in a video. */
export interface Summary {
  video: number
  chunks: number
  objects: number
  byKind: Record<Kind, number>
  /** The chunk with the most objects, and how many those are. */
  busiest: { chunk: number; objects: number }
  /** Multiplications and additions of the heaviest and of the median chunk. */
  operations: { most: number; median: number }
}

/** Detections that are not what was in front of the camera. */
export class WrongFindings extends Error {
  override readonly name = 'WrongFindings'
  readonly code = 'WRONG_FINDINGS'
}

/** How far a detection may be off, pixels. */
const tolerancePx = 2

/**
 * Compares what was found with the scenes that the video was made from: every chunk once, every object once, of the right kind and in its
 * place, and nothing else.
 * @throws {WrongFindings} naming the first chunk that is wrong, and what is
 */
export function checkFindings(video: Video, findings: readonly ChunkFindings[]): void {
  for (let chunk = 0; chunk < video.chunks; chunk++) {
    const of = findings.filter((one) => one.chunk === chunk)
    if (of.length !== 1) throw new WrongFindings(`chunk ${chunk} was looked at ${of.length} times`)
    checkChunk(video, of[0] as ChunkFindings)
  }
  if (findings.length > video.chunks)
    throw new WrongFindings(`${findings.length} chunks of a video of ${video.chunks} were looked at`)
}

function checkChunk(video: Video, { chunk, frame, found }: ChunkFindings): void {
  const objects = sceneOf(video, chunk)
  const where = `in frame ${frame} of chunk ${chunk}`
  if (found.length !== objects.length)
    throw new WrongFindings(`${found.length} objects were found ${where}; there are ${objects.length}`)
  for (const object of objects) {
    const { x, y } = placeOf(object, frame, video.frames)
    const hits = found.filter((hit) => Math.hypot(hit.x - x, hit.y - y) <= tolerancePx)
    const [hit] = hits
    const place = `${Math.round(x)}, ${Math.round(y)}`
    if (hits.length !== 1 || !hit)
      throw new WrongFindings(`${hits.length} objects were found at ${place} ${where}; there is one`)
    if (hit.kind !== object.kind)
      throw new WrongFindings(`the ${object.kind} at ${place} ${where} was taken for a ${hit.kind}`)
  }
}

export function summaryOf({ video, chunks }: Video, findings: readonly ChunkFindings[]): Summary {
  const all = findings.flatMap(({ found }) => found)
  const work = findings.map(({ operations }) => operations).sort((a, b) => a - b)
  const busiest = findings.reduce((most, one) => (one.found.length > most.found.length ? one : most))
  const counts = kinds.map((kind) => [kind, all.filter((one) => one.kind === kind).length])
  return {
    video,
    chunks,
    objects: all.length,
    byKind: Object.fromEntries(counts) as Record<Kind, number>,
    busiest: { chunk: busiest.chunk, objects: busiest.found.length },
    operations: { most: work.at(-1) as number, median: work[Math.floor(work.length / 2)] as number },
  }
}
