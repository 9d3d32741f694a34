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
  const noise = Float32Array.from({ length: width * height }, () => (draw() - 0.5) * 6)
  return Array.from({ length: frames }, (_, frame) => {
    const light = new Float32Array(width * height)
    for (let i = 0; i < light.length; i++)
      light[i] = base + (Math.floor(i / width) / height) * 20 + (noise[i] as number)
    // Somewhere in every frame some pixels flicker.
    for (let i = 0; i < light.length / 100; i++) {
      const at = Math.floor(draw() * light.length)
      light[at] = (light[at] as number) + (draw() - 0.5) * 12
    }
    for (const object of objects) paint(light, width, object, placeOf(object, frame, frames))
    return { width, height, pixels: Uint8Array.from(light, (value) => Math.min(255, Math.max(0, Math.round(value)))) }
  })
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
