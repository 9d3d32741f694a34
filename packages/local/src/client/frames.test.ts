import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cutter } from '../sandbox/cutter.js'
import { Utf8 } from '../sandbox/messages.js'
import { type Frame, frameLength, frameOf, kinds, readFrame } from './frames.js'

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const name = fc.string({ unit: 'binary', maxLength: 300 })
const frames = fc.record<Frame>({
  kind: fc.constantFrom(...Object.values(kinds)),
  id: u32,
  number: u32,
  task: name,
  session: name,
  traceparent: name,
  payload: fc.oneof(fc.constant(undefined), fc.json(), fc.string({ unit: 'binary' }), fc.uint8Array()),
})

/** With text as text, to compare. */
function plain({ payload, ...rest }: Frame): unknown {
  return { ...rest, payload: payload instanceof Utf8 ? Buffer.from(payload.bytes).toString() : payload }
}

test('any frames come out of a stream as they went in, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 5 }), fc.integer({ min: 1, max: 64 }), (list, step) => {
      const stream = Buffer.concat(list.map(frameOf))
      expect(stream.length).toBe(list.reduce((sum, frame) => sum + frameLength(frame), 0))
      const found: unknown[] = []
      const cutter = new Cutter((data, start, end) => found.push(plain(readFrame(data, start, end))))
      for (let at = 0; at < stream.length; at += step) cutter.push(stream.subarray(at, at + step))
      expect(found).toEqual(list.map(plain))
    }),
  )
})

test('no bytes make it fail otherwise than by saying that they are no frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readFrame(Buffer.from(bytes), 0, bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError)
      }
    }),
  )
})

test('what is no frame is told from what is', () => {
  const frame = frameOf({ kind: 2, id: 1, number: 0, task: 'a', session: '', traceparent: '', payload: '1' })
  const broken = (change: (copy: Buffer) => void, end = frame.length) => {
    const copy = Buffer.from(frame)
    change(copy)
    return () => readFrame(copy, 0, end)
  }
  expect(broken(() => {}, 10)).toThrow('it has 10 bytes; a frame has 20 at least')
  expect(broken((copy) => copy.writeUInt16LE(9, 6))).toThrow('its names are longer than itself')
  expect(broken((copy) => copy.writeUInt8(7, 5))).toThrow('payload of kind 7')
  expect(broken((copy) => copy.writeUInt8(0, 5))).toThrow('it has a payload and says that it has none')
})
