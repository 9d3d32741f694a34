/** Maps a quantity to px along an axis. */
export interface Scale {
  at(value: number): number
  ticks: number[]
}

/** A linear axis from 0 to a round number at or above `max`. @param length px; 0 is at `length`, the top of the axis at 0 */
export function linearScale(max: number, length: number): Scale {
  const step = roundStep((max > 0 ? max : 1) / 4)
  const top = Math.ceil((max > 0 ? max : 1) / step - 1e-9) * step
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  return { at: (value) => length * (1 - value / top), ticks }
}

/** A logarithmic axis around `min` … `max`, both above 0; ticks at 1, 2, 5 × powers of ten. */
export function logScale(min: number, max: number, length: number): Scale {
  const marks: number[] = []
  for (let power = Math.floor(Math.log10(min)) - 1; power <= Math.ceil(Math.log10(max)); power++)
    for (const mantissa of [1, 2, 5]) marks.push(mantissa * 10 ** power)
  const low = marks.findLast((mark) => mark <= min) ?? min
  const high = marks.find((mark) => mark >= max) ?? max
  const span = Math.log(high / low) || 1
  return {
    at: (value) => length * (1 - Math.log(Math.max(value, low) / low) / span),
    ticks: marks.filter((mark) => mark >= low && mark <= high),
  }
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  return ([1, 2, 2.5, 5, 10].find((mantissa) => mantissa * power >= step * (1 - 1e-9)) ?? 10) * power
}
