import { hex8 } from '../hex.js'

/** SHA-256 of a text's UTF-8 bytes, 64 hex digits (FIPS 180-4). Here because this package must stay free of imports. */
export function sha256(text: string): string {
  const [hash, k] = constants()
  const bytes = padded(new TextEncoder().encode(text))
  const view = new DataView(bytes.buffer)
  const w = new Uint32Array(64)
  for (let block = 0; block < bytes.length; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(block + i * 4)
    for (let i = 16; i < 64; i++) w[i] = at(w, i - 16) + sigma0(at(w, i - 15)) + at(w, i - 7) + sigma1(at(w, i - 2))
    compress(hash, k, w)
  }
  return Array.from(hash, hex8).join('')
}

function compress(hash: Uint32Array, k: Uint32Array, w: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(k, i) + at(w, i)) | 0
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g]
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) hash[i] = at(hash, i) + word
}

/** The message, a 1 bit, zeros up to a block less 8 bytes, the length in bits. */
function padded(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  bytes.set(message)
  bytes[message.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setUint32(bytes.length - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(bytes.length - 4, message.length << 3)
  return bytes
}

/** First 32 bits of the fractions of the square roots of 8 primes and of the cube roots of 64. */
function constants(): [Uint32Array, Uint32Array] {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n)
  const fraction = (x: number) => (x % 1) * 2 ** 32
  return [
    Uint32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p))),
    Uint32Array.from(primes, (p) => fraction(Math.cbrt(p))),
  ]
}

const at = (words: Uint32Array, i: number) => words[i] as number
const rotate = (x: number, n: number) => (x >>> n) | (x << (32 - n))
const sigma0 = (x: number) => rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)
const sigma1 = (x: number) => rotate(x, 17) ^ rotate(x, 19) ^ (x >>> 10)
