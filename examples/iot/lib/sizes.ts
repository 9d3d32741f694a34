/** CPU ms that the published application needs on AWS Lambda, at full speed: both threads together where it uses two. */
const published = { kernel: 170, sieve: 130, validity: 1 }

/** Share of the published sizes unless `IOT_SCALE` says otherwise: a request then costs about 6 ms of CPU, all tasks together. */
export const defaultScale = 0.006

/** CPU ms that a piece of work takes here. */
export function cpuMs(work: keyof typeof published): number {
  return published[work] * Number(process.env.IOT_SCALE ?? defaultScale)
}
