import { hex8 } from './hex.js'

/** 64-bit mix of a text, as 16 hex digits: tells ids apart, protects nothing. */
export function fingerprint(text: string): string {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x9e3779b1)
    b = Math.imul(b ^ c, 0x5f356495)
  }
  a ^= b >>> 15
  b ^= a >>> 13
  return hex8(b) + hex8(a)
}
