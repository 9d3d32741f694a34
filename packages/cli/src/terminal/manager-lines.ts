import pc from 'picocolors'
import type { ManagerReport } from '../app/managed.js'
import { plural, table } from './table.js'

/** What a manager did, for people. */
export function managerLines({ isDone, lastRun, spent, tried }: ManagerReport): string[] {
  const last = lastRun
    ? `${new Date(lastRun.atMs).toISOString()}: ${lastRun.did === 'nothing' ? lastRun.why : `${lastRun.did}: ${lastRun.why}`}`
    : 'it has not run yet'
  const share =
    spent.share === null ? '' : `, ${(100 * spent.share).toFixed(1)}% of what the app cost by what was seen of it`
  return [
    `${pc.bold('manager')}  ${last}${isDone ? pc.dim(' (watching)') : ''}`,
    `  ${plural(spent.runs, 'run')}, $${spent.usd.toPrecision(2)}${share}`,
    ...(tried.length > 0
      ? [
          '',
          table(
            ['setup', 'became', 'requests', 'p50 ms', '$ per million', 'why'],
            tried.map((one) => [
              one.notation,
              one.became,
              `${one.requests}`,
              one.p50Ms?.toFixed(1) ?? '–',
              one.costPerMillionUsd?.toFixed(2) ?? '–',
              one.why,
            ]),
            ['left', 'left', 'right', 'right', 'right', 'left'],
          ),
        ]
      : []),
  ]
}
