import { draws, gaussian } from '@fusionize/example-kit'

/** Side of a picture, pixels. */
export const side = 8

/** Handwritten digits: pictures of 8 × 8 brightnesses from 0 to 16, one after the other, and what each shows. */
export interface Digits {
  pictures: Float64Array
  labels: Uint8Array
}

type Point = readonly [x: number, y: number]

/** The strokes of a pen for each digit, in a square of side 1 whose y points down. */
const strokes: readonly (readonly Point[])[][] = [
  [
    [
      [0.5, 0.1],
      [0.75, 0.25],
      [0.78, 0.5],
      [0.72, 0.78],
      [0.5, 0.9],
      [0.28, 0.78],
      [0.22, 0.5],
      [0.27, 0.24],
      [0.5, 0.1],
    ],
  ],
  [
    [
      [0.33, 0.28],
      [0.54, 0.1],
      [0.54, 0.9],
    ],
  ],
  [
    [
      [0.25, 0.28],
      [0.42, 0.1],
      [0.66, 0.14],
      [0.72, 0.34],
      [0.5, 0.6],
      [0.24, 0.88],
      [0.78, 0.88],
    ],
  ],
  [
    [
      [0.26, 0.14],
      [0.7, 0.12],
      [0.48, 0.44],
      [0.72, 0.58],
      [0.7, 0.8],
      [0.48, 0.92],
      [0.24, 0.82],
    ],
  ],
  [
    [
      [0.62, 0.92],
      [0.62, 0.1],
      [0.22, 0.64],
      [0.82, 0.64],
    ],
  ],
  [
    [
      [0.74, 0.12],
      [0.32, 0.12],
      [0.28, 0.46],
      [0.56, 0.42],
      [0.74, 0.6],
      [0.66, 0.84],
      [0.4, 0.92],
      [0.24, 0.82],
    ],
  ],
  [
    [
      [0.66, 0.1],
      [0.4, 0.3],
      [0.27, 0.6],
      [0.34, 0.86],
      [0.58, 0.9],
      [0.72, 0.72],
      [0.6, 0.54],
      [0.32, 0.6],
    ],
  ],
  [
    [
      [0.22, 0.12],
      [0.78, 0.12],
      [0.56, 0.5],
      [0.42, 0.92],
    ],
    [
      [0.36, 0.52],
      [0.68, 0.52],
    ],
  ],
  [
    [
      [0.5, 0.48],
      [0.29, 0.32],
      [0.36, 0.12],
      [0.62, 0.12],
      [0.7, 0.3],
      [0.5, 0.48],
      [0.26, 0.68],
      [0.36, 0.9],
      [0.64, 0.9],
      [0.74, 0.7],
      [0.5, 0.48],
    ],
  ],
  [
    [
      [0.72, 0.38],
      [0.52, 0.5],
      [0.3, 0.38],
      [0.34, 0.14],
      [0.6, 0.1],
      [0.72, 0.3],
      [0.68, 0.62],
      [0.52, 0.92],
    ],
  ],
]

/**
 * So many digits, all ten in turn; each depends on the name and its number only. Every writer turns, leans, stretches and shakes the strokes
 * differently, and has a pen and a scanner of their own.
 */
export function makeDigits(name: string, count: number): Digits {
  const pictures = new Float64Array(count * side * side)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10)
  for (let i = 0; i < count; i++)
    write(`${name}/${i}`, i % 10, pictures.subarray(i * side * side, (i + 1) * side * side))
  return { pictures, labels }
}

function write(name: string, digit: number, into: Float64Array): void {
  const draw = draws(name)
  const turn = 0.16 * gaussian(draw)
  const lean = 0.16 * gaussian(draw)
  const [wide, high] = [1 + 0.12 * gaussian(draw), 1 + 0.1 * gaussian(draw)]
  const [right, down] = [0.05 * gaussian(draw), 0.05 * gaussian(draw)]
  const pen = 0.075 + 0.03 * draw()
  const place = ([x, y]: Point): Point => {
    const [u, v] = [(x - 0.5 + lean * (0.5 - y)) * wide, (y - 0.5) * high]
    return [
      0.5 + right + u * Math.cos(turn) - v * Math.sin(turn) + 0.02 * gaussian(draw),
      0.5 + down + u * Math.sin(turn) + v * Math.cos(turn) + 0.02 * gaussian(draw),
    ]
  }
  const lines = (strokes[digit] as (readonly Point[])[]).map((line) => line.map(place))
  for (let i = 0; i < into.length; i++) {
    const middle: Point = [((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side]
    const far = Math.min(
      ...lines.flatMap((line) => line.slice(1).map((to, n) => distance(middle, line[n] as Point, to))),
    )
    const ink = 16 * Math.exp(-((far / pen) ** 2) / 2) + gaussian(draw)
    into[i] = Math.round(Math.min(16, Math.max(0, ink)))
  }
}

/** From a point to the line between two others. */
function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay]
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
  return Math.hypot(x - ax - along * dx, y - ay - along * dy)
}
