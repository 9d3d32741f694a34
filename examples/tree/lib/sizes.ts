/** What the published application takes on AWS Lambda at full speed: CPU ms of both threads together, and the timers' ms. */
const published = { kernel: 170, heavyKernel: 850, timer: 500 }

/** Share of the published sizes unless `TREE_SCALE` says otherwise: a request then costs about 15 to 20 ms of CPU and waits 18 ms. */
export const defaultScale = 0.012

/** Ms that a piece takes here. */
export function scaledMs(piece: keyof typeof published): number {
  return published[piece] * Number(process.env.TREE_SCALE ?? defaultScale)
}
