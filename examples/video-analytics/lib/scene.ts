import { draws } from '@fusionize/example-kit'
import type { Video } from './request'
import { type Kind, kinds, symmetryDegrees } from './shapes'
import { cellPx } from './sizes'

/** Something in a chunk that moves evenly: the truth that a detection is checked against. */
export interface SceneObject {
  kind: Kind
  degrees: number
  /** Pixels. */
  radius: number
  /** How much brighter than its surroundings. */
  contrast: number
  /** Middle in the first frame, and how far it moves until the last, pixels. */
  x: number
  y: number
  dx: number
  dy: number
}

/** Largest radius of an object, and the farthest that its middle leaves that of its cell, pixels: neighbours stay apart. */
const largestRadius = 6
const farthest = 2

/**
 * The objects of a chunk. How many is drawn from a long tail, as on a street: mostly one or two, now and then half of the cells are full. It is
 * what makes chunks differ in the work that they are.
 */
export function sceneOf({ video, width, height }: Video, chunk: number): SceneObject[] {
  const draw = draws(`scene/${video}/${chunk}`)
  const columns = width / cellPx
  const cells = columns * (height / cellPx)
  const count = Math.min(Math.floor(cells / 2), Math.floor(1 / (1 - draw())))
  const free = Array.from({ length: cells }, (_, cell) => cell)
  return Array.from({ length: count }, () => {
    const [cell] = free.splice(Math.floor(draw() * free.length), 1) as [number]
    const kind = kinds[Math.floor(draw() * kinds.length)] as Kind
    const within = () => (draw() * 2 - 1) * farthest
    const [x0, y0, x1, y1] = [within(), within(), within(), within()]
    return {
      kind,
      degrees: draw() * symmetryDegrees[kind],
      radius: largestRadius - draw() * 0.8,
      contrast: 70 + draw() * 60,
      x: ((cell % columns) + 0.5) * cellPx + x0,
      y: (Math.floor(cell / columns) + 0.5) * cellPx + y0,
      dx: x1 - x0,
      dy: y1 - y0,
    }
  })
}

/** Where an object's middle is in a frame. */
export function placeOf({ x, y, dx, dy }: SceneObject, frame: number, frames: number): { x: number; y: number } {
  const share = frames > 1 ? frame / (frames - 1) : 0
  return { x: x + dx * share, y: y + dy * share }
}
