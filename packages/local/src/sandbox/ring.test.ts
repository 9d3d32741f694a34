import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlatMessage } from './flat-message.js'
import { RING_BYTES, RingReader, RingWriter } from './ring.js'

function newRing() {
  const memory = new SharedArrayBuffer(RING_BYTES)
  const flat = new FlatMessage()
  const [writer, reader] = [new RingWriter(memory), new RingReader(memory)]
  return {
    writer,
    reader,
    write: (text: string, before = 0) => flat.encode([text]) && writer.write(flat, before),
    read(): [text: string, before: number] | undefined {
      if (!reader.has()) return undefined
      const { before } = reader
      reader.take(flat)
      return [(flat.decode() as string[])[0] as string, before]
    },
  }
}

/** Texts of all lengths up to beyond the limit, in one, two and three bytes a character. */
const text = fc
  .tuple(fc.constantFrom('a', 'é', '€', '😀'), fc.oneof(fc.nat(30), fc.integer({ min: 1000, max: 2100 })))
  .map(([character, length]) => character.repeat(length / character.length))

test('entries are read as they were written, in their order, whatever the two do between', () => {
  const step = fc.oneof(text, fc.integer({ min: 1, max: 40 }))
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const { writer, reader, write, read } = newRing()
      const model: [string, number][] = []
      for (const [i, one] of steps.entries())
        if (typeof one === 'string') {
          if (write(one, i)) model.push([one, i])
          // Room for one is always left when nothing is there.
          else expect(one.length > 2048 || model.length > 0).toBe(true)
        } else for (let n = 0; n < one; n++) expect(read()).toEqual(model.shift())
      while (model.length > 0) expect(read()).toEqual(model.shift())
      expect(read()).toBeUndefined()
      expect(reader.position).toBe(writer.position)
    }),
    { numRuns: 60 },
  )
})

test('it takes at least four of the longest, then none until one is read', () => {
  const { write, read } = newRing()
  for (let lap = 0; lap < 20; lap++) {
    let count = 0
    while (write('€'.repeat(2048))) count++
    expect(count).toBeGreaterThanOrEqual(lap === 0 ? 4 : 1)
    expect(read()?.[0].length).toBe(2048)
  }
})

test('an entry of the limit goes, one beyond does not, nor does what is not text in UTF-8', () => {
  const { write, read } = newRing()
  expect(write('x'.repeat(2049))).toBe(false)
  expect(write('a\ud800b')).toBe(false)
  expect(read()).toBeUndefined()
  expect(write('x'.repeat(2048))).toBe(true)
  expect(read()?.[0].length).toBe(2048)
})
