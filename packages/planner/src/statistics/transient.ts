/** Values that are averaged before they are judged: one that is far off decides nothing alone. */
const BATCH = 5
/** Squared errors this near to the least are no worse: chance makes some cut of what is steady look best. */
const ALIKE = 1.5
/** Batches of which fewer tell nothing. */
const LEAST_BATCHES = 6

/**
 * How many of the first values are of the start and not of what follows: the MSER-5 rule (White, "An effective truncation heuristic for bias reduction in simulation
 * output", Simulation 69(6), 1997) leaves out what lowers the standard error of the mean of the rest most, and never more than half; of cuts that are about as
 * good the shortest [ours].
 * @param values in order of time
 */
export function transientLength(values: readonly number[]): number {
  const batches = Math.floor(values.length / BATCH)
  if (batches < LEAST_BATCHES) return 0
  const means = Array.from({ length: batches }, (_, i) => {
    const batch = values.slice(i * BATCH, (i + 1) * BATCH)
    return batch.reduce((sum, value) => sum + value, 0) / BATCH
  })
  const errors: number[] = []
  let [sum, squares] = [0, 0]
  for (let i = batches - 1; i >= 0; i--) {
    const value = means[i] as number
    sum += value
    squares += value * value
    const n = batches - i
    if (i <= batches / 2) errors[i] = (squares - (sum * sum) / n) / (n * n)
  }
  const least = Math.min(...errors)
  return errors.findIndex((error) => error <= ALIKE * least + Number.EPSILON * squares) * BATCH
}
