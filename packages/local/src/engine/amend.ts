import type { Job } from './job.js'

/**
 * Writes into the job's record what only the engine knows: with how many others it shared its sandbox at most (a handler counts those that are there when one
 * begins, and who comes later makes the CPU time of the first as unreadable), and how its input came where that is emulated.
 * @param lines of records; those of other invocations stay as they are
 */
export function amend(lines: string[], { together, request: { id, transfer } }: Job): void {
  if (together === 1 && transfer === undefined) return
  const own = `"invocation":${JSON.stringify(id)},`
  const at = lines.findIndex((line) => line.includes(own))
  if (at < 0) return
  let line = lines[at] as string
  // Quotes inside of strings are escaped, so that this is the field.
  if (together > 1) line = line.replace(/"concurrent":\d+/, `"concurrent":${together}`)
  if (transfer) line = `${line.slice(0, -1)},"passing":${JSON.stringify(transfer.passed)}}`
  lines[at] = line
}
