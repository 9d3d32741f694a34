import type { Job } from './job.js'

/**
 * Writes into the job's record what only the engine knows: with how many others it shared its sandbox at most. A handler counts those that are there
 * when one begins, and who comes later makes the CPU time of the first as unreadable.
 * @param lines of records; those of other invocations stay as they are
 */
export function amend(lines: string[], job: Job): void {
  if (job.together === 1) return
  const own = `"invocation":${JSON.stringify(job.request.id)},`
  const at = lines.findIndex((line) => line.includes(own))
  if (at < 0) return
  // Quotes inside of strings are escaped, so that this is the field.
  lines[at] = (lines[at] as string).replace(/"concurrent":\d+/, `"concurrent":${job.together}`)
}
