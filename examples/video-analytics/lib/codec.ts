import type { Frame } from './render'

/**
 * A small lossless video codec. A frame is what differs from the one before it (the first: from the pixel to the left), as bytes modulo 256;
 * runs of zeros are a zero and their length. A chunk begins with its measures and ends with a sum over all pixels (Adler-32).
 */
export function encodeChunk(frames: readonly Frame[]): Uint8Array {
  const { width, height } = frames[0] as Frame
  const head = Buffer.alloc(6)
  head.writeUInt16LE(width, 0)
  head.writeUInt16LE(height, 2)
  head.writeUInt16LE(frames.length, 4)
  // A zero may become two bytes.
  const body = new Uint8Array(2 * width * height * frames.length)
  let at = 0
  let run = 0
  const endRun = () => {
    if (run === 0) return
    body[at + 1] = run
    at += 2
    run = 0
  }
  for (const [n, { pixels }] of frames.entries()) {
    const before = frames[n - 1]?.pixels
    for (let i = 0; i < pixels.length; i++) {
      const expected = before ? before[i] : i > 0 ? pixels[i - 1] : 0
      const difference = ((pixels[i] as number) - (expected as number)) & 255
      if (difference !== 0) {
        endRun()
        body[at++] = difference
      } else if (++run === 255) endRun()
    }
  }
  endRun()
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(sumOf(frames))
  return Buffer.concat([head, body.subarray(0, at), tail])
}

/**
 * The frames of a chunk.
 * @throws {BrokenChunk} when it is not what an encoder wrote
 */
export function decodeChunk(bytes: Uint8Array): Frame[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 10) throw new BrokenChunk(`a chunk has at least 10 bytes, not ${view.length}`)
  const [width, height, count] = [view.readUInt16LE(0), view.readUInt16LE(2), view.readUInt16LE(4)]
  const end = view.length - 4
  const frames: Frame[] = []
  let at = 6
  let run = 0
  for (let n = 0; n < count; n++) {
    const before = frames[n - 1]?.pixels
    const pixels = new Uint8Array(width * height)
    for (let i = 0; i < pixels.length; i++) {
      let difference = 0
      if (run > 0) run--
      else {
        if (at >= end) throw new BrokenChunk(`it ends in frame ${n} of ${count}`)
        difference = view[at++] as number
        if (difference === 0) run = (view[at++] as number) - 1
      }
      const expected = before ? before[i] : i > 0 ? pixels[i - 1] : 0
      pixels[i] = (expected as number) + difference
    }
    frames.push({ width, height, pixels })
  }
  if (at !== end || run !== 0) throw new BrokenChunk('it goes on behind its last frame')
  if (sumOf(frames) !== view.readUInt32LE(end)) throw new BrokenChunk('its pixels do not add up')
  return frames
}

/** A chunk is not what an encoder wrote. */
export class BrokenChunk extends Error {
  override readonly name = 'BrokenChunk'
  readonly code = 'BROKEN_CHUNK'
}

/** Adler-32 (RFC 1950, §9) over all pixels. */
function sumOf(frames: readonly Frame[]): number {
  let a = 1
  let b = 0
  for (const { pixels } of frames)
    for (let start = 0; start < pixels.length; start += exactPixels) {
      const end = Math.min(pixels.length, start + exactPixels)
      for (let i = start; i < end; i++) {
        a += pixels[i] as number
        b += a
      }
      a %= 65_521
      b %= 65_521
    }
  return ((b << 16) | a) >>> 0
}

/** So many pixels can be added before the sums must be reduced to stay below 2³¹, where adding is fastest. */
const exactPixels = 3_800
