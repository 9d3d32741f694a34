import { draws } from '@fusionize/example-kit'
import type { Video } from './request'
import { placeOf, type SceneObject } from './scene'
import { coverage } from './shapes'

/** A picture: a byte of brightness for each pixel, row by row. */
export interface Frame {
  width: number
  height: number
  pixels: Uint8Array
}

/** What the camera sees of a chunk, frame by frame: a background that gets brighter downwards, its own noise, a flicker, and the objects. */
export function renderChunk(video: Video, chunk: number, objects: readonly SceneObject[]): Frame[] {
  const { width, height, frames } = video
  const draw = draws(`camera/${video.video}/${chunk}`)
  const base = 40 + Math.floor(draw() * 30)
  const still = new Float32Array(width * height)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) still[at] = base + (20 * y) / height + (draw() - 0.5) * 6
  return Array.from({ length: frames }, (_, frame) => {
    const light = still.slice()
    // Somewhere in every frame some pixels flicker.
    for (let i = 0; i < light.length / 100; i++) {
      const at = Math.floor(draw() * light.length)
      light[at] = (light[at] as number) + (draw() - 0.5) * 12
    }
    for (const object of objects) paint(light, width, object, placeOf(object, frame, frames))
    return { width, height, pixels: rounded(light) }
  })
}

function rounded(light: Float32Array): Uint8Array {
  const pixels = new Uint8ClampedArray(light.length)
  // A clamped array rounds by itself.
  pixels.set(light)
  return new Uint8Array(pixels.buffer)
}

function paint(light: Float32Array, width: number, object: SceneObject, middle: { x: number; y: number }): void {
  const { kind, degrees, radius, contrast } = object
  const covered = coverage(kind, degrees, radius)
  const reach = Math.ceil(radius) + 1
  for (let y = Math.floor(middle.y) - reach; y <= middle.y + reach; y++)
    for (let x = Math.floor(middle.x) - reach; x <= middle.x + reach; x++) {
      const share = covered(x - middle.x, y - middle.y)
      light[y * width + x] = (light[y * width + x] as number) + contrast * share
    }
}
