import { unpackBytes } from '@fusionize/example-kit'
import { task } from 'fusionize'
import { detect } from '../lib/detect'

/** A frame, its pixels in base64. */
export interface Picture {
  width: number
  height: number
  pixels: string
}

/** Finds the objects of a frame and tells what they are. The more there are the longer it takes. */
export default task('classify', async ({ width, height, pixels }: Picture) =>
  detect({ width, height, pixels: unpackBytes(pixels) }),
)
