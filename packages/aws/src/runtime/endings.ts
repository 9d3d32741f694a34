import type { Service } from './service.js'

/** Ms in which the log must answer: who waits is a run. */
const ANSWER_MS = 2_000
/** Ms for which a sandbox that was refused asks no more: an account has 5 such requests a second ("CloudWatch Logs quotas", Amazon CloudWatch Logs User Guide). */
const REST_MS = 60_000

/** How often an invocation of Lambda has ended before; undefined when that cannot be told now. */
export type Endings = (request: string, since: number) => Promise<number | undefined>

interface Page {
  events?: { message?: string }[]
  nextToken?: string
}

/**
 * Reads it in the function's own log, where Lambda writes REPORT also of an invocation whose sandbox was killed, and all attempts of an
 * event have one id.
 * @param group the function's log group
 */
export function endingsIn(logs: Service, group: string, restMs: number = REST_MS): Endings {
  let restUntil = 0

  async function count(request: string, since: number, deadline: number): Promise<number> {
    let endings = 0
    let nextToken: string | undefined
    do {
      const body = { logGroupName: group, startTime: since, filterPattern: `"${request}"`, nextToken }
      const answer = await logs.ask({
        method: 'POST',
        path: [],
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.FilterLogEvents' },
        body: JSON.stringify(body),
        deadline,
      })
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      const page = JSON.parse(answer.body.toString()) as Page
      endings += page.events?.filter(({ message = '' }) => /^REPORT |"platform\.report"/.test(message)).length ?? 0
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return endings
  }

  return async (request, since) => {
    const now = Date.now()
    if (now < restUntil) return undefined
    try {
      return await count(request, since, now + ANSWER_MS)
    } catch {
      restUntil = now + restMs
      return undefined
    }
  }
}
