import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { decodeChunk, encodeChunk } from '../lib/codec'
import { detect } from '../lib/detect'
import { type ChunkFindings, checkFindings } from '../lib/findings'
import { type Frame, renderChunk } from '../lib/render'
import { representativeOf } from '../lib/representative'
import type { Video } from '../lib/request'
import { placeOf, sceneOf } from '../lib/scene'
import { store } from '../lib/store'
import analyzeVideo from '../tasks/analyze-video'
import extract from '../tasks/extract'
import split from '../tasks/split'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'video-'))
  vi.stubEnv('VIDEO_STORE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const full: Video = { video: 3, chunks: 30, frames: 4, width: 160, height: 120 }

/** A chunk as `extract` and `classify` see it, without fusionize. */
function lookAt(video: Video, chunk: number): ChunkFindings {
  const frames = renderChunk(video, chunk, sceneOf(video, chunk))
  const frame = representativeOf(frames)
  return { chunk, frame, ...detect(frames[frame] as Frame) }
}

const framesArbitrary = fc
  .record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 9 }),
    count: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ width, height, count }) =>
    fc
      .array(fc.uint8Array({ minLength: width * height, maxLength: width * height }), {
        minLength: count,
        maxLength: count,
      })
      .map((all) => all.map((pixels): Frame => ({ width, height, pixels }))),
  )

const bytesOf = (frames: readonly Frame[]) => Buffer.concat(frames.map(({ pixels }) => pixels)).toString('hex')

test('what is decoded is what was encoded', () => {
  fc.assert(
    fc.property(framesArbitrary, (frames) => {
      const decoded = decodeChunk(encodeChunk(frames))
      expect(decoded.map(({ width, height }) => [width, height])).toEqual(
        frames.map(({ width, height }) => [width, height]),
      )
      expect(bytesOf(decoded)).toBe(bytesOf(frames))
    }),
    { seed: 46 },
  )
  const still = Array.from(
    { length: 3 },
    (): Frame => ({ width: 100, height: 100, pixels: new Uint8Array(10_000).fill(7) }),
  )
  expect(bytesOf(decodeChunk(encodeChunk(still)))).toBe(bytesOf(still))
  expect(encodeChunk(still).length).toBeLessThan(300)
})

test('a chunk that lost or gained bytes, or has others, is refused', () => {
  const bytes = encodeChunk(renderChunk({ ...full, width: 40, height: 40 }, 0, []))
  expect(() => decodeChunk(bytes.subarray(0, 4))).toThrow('at least 10 bytes')
  expect(() => decodeChunk(bytes.subarray(0, bytes.length / 2))).toThrow('it ends in frame')
  expect(() => decodeChunk(Buffer.concat([bytes, Buffer.from([1])]))).toThrow('it goes on')
  expect(() => decodeChunk(Uint8Array.from(bytes, (byte, i) => (i === 6 ? byte + 1 : byte)))).toThrow('do not add up')
})

test('the frame that stands for a chunk is the one most like the others', () => {
  const frame = (value: number): Frame => ({ width: 4, height: 4, pixels: new Uint8Array(16).fill(value) })
  expect(representativeOf([frame(10), frame(100), frame(100), frame(200)])).toBe(1)
  expect(representativeOf([frame(10)])).toBe(0)
})

test('every object of 120 chunks is found where it is and taken for what it is, and the work of chunks differs as P99 / P50 ≥ 3', {
  timeout: 60_000,
}, () => {
  const video = { ...full, chunks: 120 }
  const findings = Array.from({ length: video.chunks }, (_, chunk) => lookAt(video, chunk))
  expect(() => checkFindings(video, findings)).not.toThrow()
  expect(findings.reduce((sum, { found }) => sum + found.length, 0)).toBeGreaterThan(250)
  const quantile = (values: number[], p: number) =>
    values.sort((a, b) => a - b)[Math.floor(p * values.length)] as number
  const classify = findings.map(({ operations }) => operations)
  // Decoding and histograms take about ten operations for each pixel of a chunk, whatever is in it.
  const whole = classify.map((operations) => operations + 10 * video.frames * video.width * video.height)
  expect(quantile(classify, 0.99) / quantile(classify, 0.5)).toBeGreaterThan(3)
  expect(quantile(whole, 0.99) / quantile(whole, 0.5)).toBeGreaterThan(3)
})

test('findings that are wrong are refused, each for what is wrong', () => {
  const video = { ...full, chunks: 3 }
  const right = [0, 1, 2].map((chunk) => lookAt(video, chunk))
  const change = (chunk: number, by: (one: ChunkFindings) => Partial<ChunkFindings>) =>
    right.map((one) => (one.chunk === chunk ? { ...one, ...by(one) } : one))
  expect(() => checkFindings(video, right.slice(1))).toThrow('chunk 0 was looked at 0 times')
  expect(() => checkFindings(video, [...right, right[1] as ChunkFindings])).toThrow('chunk 1 was looked at 2 times')
  expect(() =>
    checkFindings(
      video,
      change(2, ({ found }) => ({ found: found.slice(1) })),
    ),
  ).toThrow('in frame')
  const other = (kind: string) => (kind === 'disc' ? 'cross' : 'disc')
  expect(() =>
    checkFindings(
      video,
      change(1, ({ found }) => ({ found: found.map((one) => ({ ...one, kind: other(one.kind) })) })),
    ),
  ).toThrow('was taken for')
  expect(() =>
    checkFindings(
      video,
      change(1, ({ found }) => ({ found: found.map((one) => ({ ...one, x: one.x + 9 })) })),
    ),
  ).toThrow('0 objects were found at')
})

test('objects stay apart in every frame', () => {
  for (let chunk = 0; chunk < 300; chunk++) {
    const objects = sceneOf(full, chunk)
    const near = [0, 1, 3].flatMap((frame) => {
      const places = objects.map((object) => placeOf(object, frame, full.frames))
      return places.flatMap((p, i) =>
        places.slice(i + 1).map((q) => Math.max(Math.abs(p.x - q.x), Math.abs(p.y - q.y))),
      )
    })
    // Two of the largest radius, and the four pixels over which the smoothing reaches.
    expect(Math.min(...near)).toBeGreaterThanOrEqual(2 * 6 + 4)
  }
})

test('a video is cut, looked at and summed up; the summary is kept', async () => {
  const summary = await analyzeVideo({ video: 5, chunks: 6, frames: 3 })
  const objects = Array.from({ length: 6 }, (_, chunk) => sceneOf({ ...full, video: 5 }, chunk))
  expect(summary).toMatchObject({ video: 5, chunks: 6, objects: objects.flat().length })
  expect(summary.byKind.ring).toBe(objects.flat().filter(({ kind }) => kind === 'ring').length)
  expect(summary.busiest.objects).toBe(Math.max(...objects.map((all) => all.length)))
  const once = await store.dump()
  expect(await store.get('summaries/v5-6x3-160x120')).toEqual(summary)
  expect(await analyzeVideo({ video: 5, chunks: 6, frames: 3 })).toEqual(summary)
  expect(await store.dump()).toBe(once)
})

test('a chunk that changed in the store makes the request fail', async () => {
  const small = { ...full, video: 6, chunks: 2 }
  const [first, second] = await split(small)
  await store.put('chunks/v6-2x4-160x120/000', 'AAAA')
  await expect(extract(first as never)).rejects.toMatchObject({ name: 'BrokenChunk' })
  await store.put('chunks/v6-2x4-160x120/001', await store.get('chunks/v6-2x4-160x120/000'))
  await expect(extract(second as never)).rejects.toThrow()
})

test('the frame is as large as the scale says', async () => {
  vi.stubEnv('VIDEO_SCALE', '0.1')
  await analyzeVideo({ video: 1, chunks: 2, frames: 2 })
  expect(await store.list('summaries/')).toEqual(['summaries/v1-2x2-60x40'])
})

test.each([{ chunks: 0 }, { frames: 1.5 }, { video: -1 }, { pieces: 3 } as never])('%j is refused', async (request) => {
  await expect(analyzeVideo(request)).rejects.toThrow()
})
