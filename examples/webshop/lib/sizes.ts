/**
 * CPU ms that the published application needs on AWS Lambda, at full speed: `order` is a kernel of n = 8.8 on two threads, both together,
 * `letter` the same on one, `sieve` goes to 500,000.
 */
const published = { order: 850, letter: 425, sieve: 62 }

/** Share of the published sizes unless `WEBSHOP_SCALE` says otherwise: an order then costs about 8 ms of CPU, all tasks together. */
export const defaultScale = 0.006

/** CPU ms that a piece of work takes here. */
export function cpuMs(work: keyof typeof published): number {
  return published[work] * Number(process.env.WEBSHOP_SCALE ?? defaultScale)
}
