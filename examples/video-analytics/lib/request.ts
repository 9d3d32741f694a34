import { wholeNumbers } from '@fusionize/example-kit'
import { cellPx, grid } from './sizes'

/** Which video, and how it is cut. */
export interface VideoRequest {
  /** Number of the recording; what is in it follows from this. @default 1 */
  video?: number
  /** Pieces that are looked at in parallel. @default 30 */
  chunks?: number
  /** Frames of a chunk. @default 8 */
  frames?: number
}

/** A recording, with all that follows from asking for it. */
export interface Video {
  video: number
  chunks: number
  frames: number
  /** Pixels. */
  width: number
  height: number
}

/** @throws {RangeError} naming the first field that is wrong */
export function videoOf(request: VideoRequest): Video {
  const { columns, rows } = grid()
  return { ...wholeNumbers(request, fields), width: columns * cellPx, height: rows * cellPx }
}

const fields = {
  video: { least: 0, most: 1e9, otherwise: 1 },
  chunks: { least: 1, most: 200, otherwise: 30 },
  frames: { least: 1, most: 60, otherwise: 8 },
}

/** Names a recording and all that is kept of it. */
export function nameOf({ video, chunks, frames, width, height }: Video): string {
  return `v${video}-${chunks}x${frames}-${width}x${height}`
}
