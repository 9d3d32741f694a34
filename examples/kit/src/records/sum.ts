import { countOf, recordWords, wordsOf } from './format.js'

/** What a set of records adds up to, in whatever order: their count, and the sum of a 64-bit hash of each, modulo 2⁶⁴. */
export interface RecordSum {
  records: number
  low: number
  high: number
}

export const nothing: RecordSum = { records: 0, low: 0, high: 0 }

const factors = Int32Array.from({ length: recordWords * 2 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) | 1)

/** Two records that are swapped for each other change nothing; one that is lost, doubled or altered does. */
export function sumOf(records: Uint8Array): RecordSum {
  const words = wordsOf(records.byteOffset % 4 === 0 ? records : new Uint8Array(records))
  let low = 0
  let high = 0
  for (let at = 0; at < words.length; at += recordWords) {
    let a = 0x3c6ef372
    let b = 0x1b873593
    for (let j = 0; j < recordWords; j++) {
      const word = words[at + j] as number
      a = Math.imul(a ^ word, factors[j] as number)
      a ^= a >>> 15
      b = (b + Math.imul(word ^ (word >>> 17), factors[recordWords + j] as number)) | 0
    }
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b)
    low += a >>> 0
    high += (b ^ (b >>> 13)) >>> 0
    if (low >= 2 ** 32) {
      low -= 2 ** 32
      high++
    }
    high %= 2 ** 32
  }
  return { records: countOf(records), low, high }
}

export function addSums(a: RecordSum, b: RecordSum): RecordSum {
  const low = a.low + b.low
  const carry = low >= 2 ** 32 ? 1 : 0
  return { records: a.records + b.records, low: low % 2 ** 32, high: (a.high + b.high + carry) % 2 ** 32 }
}

export function sameSum(a: RecordSum, b: RecordSum): boolean {
  return a.records === b.records && a.low === b.low && a.high === b.high
}
