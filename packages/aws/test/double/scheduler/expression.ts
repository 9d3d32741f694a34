import { AwsError } from '../gateway/error.js'

const unitsMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** When a schedule fires: every `everyMs`, or once at `atMs`. */
export type Timing = { everyMs: number } | { atMs: number }

/**
 * A schedule's expression. Not imitated: cron(), time zones other than UTC.
 *
 * @throws AwsError where the expression is not one.
 */
export function timingOf(expression: string, zone: string | undefined): Timing {
  const rate = expression.match(/^rate\((\d+) (minute|hour|day)s?\)$/)
  if (rate && Number(rate[1]) > 0) return { everyMs: Number(rate[1]) * (unitsMs[rate[2] ?? ''] ?? 0) }
  const at = expression.match(/^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/)
  const atMs = Date.parse(`${at?.[1]}Z`)
  if (at && !Number.isNaN(atMs) && (zone ?? 'UTC') === 'UTC') return { atMs }
  throw new AwsError('ValidationException', 400, `Invalid Schedule Expression ${expression}.`)
}
