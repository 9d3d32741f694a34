import { fileURLToPath } from 'node:url'
import type { Bed } from './bed.js'
import { asynchronous } from './cases/asynchronous.js'
import { deploying } from './cases/deploying.js'
import { errors } from './cases/errors.js'
import { observing } from './cases/observing.js'
import { values } from './cases/values.js'

export { type Bed, bedOf } from './bed.js'

/**
 * What every platform does, whatever it is made of: for authors of platforms. Each case runs on a bed of its own or on one that others used;
 * it throws where the platform does not keep its word. No case asserts how long something takes.
 */
export interface ConformanceCase {
  /** A sentence. */
  name: string
  run(bed: Bed): Promise<void>
}

const areas = { deploying, values, errors, asynchronous, observing }

/** Folder of the application that the cases use; its tasks are in `tasks`. */
export const conformanceApp = fileURLToPath(new URL('../../conformance', import.meta.url))

/** Every case, with what it is about. */
export const conformance: readonly (ConformanceCase & { area: keyof typeof areas })[] = Object.entries(areas).flatMap(
  ([area, cases]) => cases.map((one) => ({ ...one, area: area as keyof typeof areas })),
)
