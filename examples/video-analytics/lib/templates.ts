import { coverage, type Kind, kinds, symmetryDegrees } from './shapes'

/** Half the side of a template, pixels: its side is 2 × half + 1. */
export const half = 7
export const side = 2 * half + 1

/** What a kind of object looks like, turned and sized in one way; of mean 0 and length 1. */
export interface Template {
  kind: Kind
  values: Float32Array
}

const stepDegrees = 15
const radii = [5.4, 5.8]

let made: Template[] | undefined

/** All looks of all kinds; made once in a process. */
export function templates(): readonly Template[] {
  made ??= kinds.flatMap((kind) => {
    const turns = symmetryDegrees[kind] === 0 ? 1 : symmetryDegrees[kind] / stepDegrees
    return radii.flatMap((radius) =>
      Array.from({ length: turns }, (_, turn) => ({ kind, values: normalised(kind, turn * stepDegrees, radius) })),
    )
  })
  return made
}

function normalised(kind: Kind, degrees: number, radius: number): Float32Array {
  const covered = coverage(kind, degrees, radius)
  const values = Float32Array.from({ length: side * side }, (_, i) =>
    covered((i % side) - half, Math.floor(i / side) - half),
  )
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const centred = values.map((value) => value - mean)
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0))
  return centred.map((value) => value / length)
}
