import type { Advice, EdgeAdvice, Estimate, Verdict } from '@fusionize/planner'
import type { Colors } from '../report/colors.js'
import { digits, percent, withInterval } from '../report/format.js'
import { table } from '../terminal/table.js'
import type { AdviceContext } from './advice-document.js'
import { readingLine } from './reading-text.js'

const MOST = { entries: 10, edges: 25, groups: 12, sizes: 12, names: 4 } as const

/** What each verdict says in a table. */
export const verdictWords: Record<Verdict, string> = {
  fuse: 'fuse',
  'after-reply': 'fuse after reply',
  trade: 'your goal decides',
  keep: 'keep apart',
  unclear: 'unclear',
  inline: 'fused already',
}

/** Advice for the terminal. */
export function adviceText(advice: Advice, context: AdviceContext, colors: Colors): string {
  return [
    readingLine(context.input),
    '',
    ...summary(advice).map((words) => `${colors.bold('›')} ${words}`),
    ...entries(advice, colors),
    ...edges(advice, colors),
    ...groups(advice, colors),
    ...sizes(advice, colors),
    '',
    colors.bold('What these traces cannot tell'),
    ...advice.limits.map((words) => `  ${words}`),
    '',
    ...footnotes(context).map((words) => colors.dim(words)),
  ].join('\n')
}

/** The main points in words. */
export function summary({ doubleBilling, entries, notation, startUps, total, groups }: Advice): string[] {
  const { perMillionRequestsUsd, share, unit } = doubleBilling
  const words = [
    `Double billing: ${percent(share.value)} [${percent(share.low)}, ${percent(share.high)}] of all billed ${unit} is paid for waiting` +
      `${perMillionRequestsUsd ? `, $${withInterval(perMillionRequestsUsd)} per million requests` : ''}.`,
  ]
  if (startUps)
    words.push(
      `Start-ups: ${digits(startUps.perRequest.value)} sandboxes per request, in ${startUps.requestsWith} requests${startUps.medianMs === undefined ? '' : `; median ${digits(startUps.medianMs)} ms`}.`,
    )
  const main = entries[0]
  if (!groups.some(({ savesMs }) => savesMs)) return [...words, 'Nothing is worth fusing for certain.']
  words.push(`Fused: ${notation}`)
  if (main)
    words.push(
      `${main.task}: p50 ${digits(main.now.p50Ms.value)} → ${digits(main.fused.p50Ms.value)} ms, p95 ${digits(main.now.p95Ms.value)} → ${digits(main.fused.p95Ms.value)} ms` +
        `${entries.length > 1 ? ` (${main.requests} of ${entries.reduce((sum, entry) => sum + entry.requests, 0)} requests)` : ''}.`,
    )
  if (total.savesPerMillionUsd && total.nowPerMillionUsd)
    words.push(
      `Cost: $${withInterval(total.nowPerMillionUsd)} per million requests now; fusing saves $${withInterval(total.savesPerMillionUsd)} (${percent(total.savesPerMillionUsd.value / total.nowPerMillionUsd.value)}).`,
    )
  return words
}

function entries(advice: Advice, colors: Colors): string[] {
  const shown = advice.entries.slice(0, MOST.entries)
  const cost = (estimate: Estimate | null) => (estimate ? withInterval(estimate) : '–')
  return [
    '',
    colors.bold('Requests, now and fused'),
    table(
      ['entry', 'n', 'p50 ms', 'p95 ms', '$/M', 'inv.', 'saves p50 ms', 'saves $/M'],
      shown.flatMap(({ fused, now, requests, saves, task }) => [
        [
          task,
          String(requests),
          digits(now.p50Ms.value),
          digits(now.p95Ms.value),
          digits(now.costPerMillionUsd?.value ?? Number.NaN),
          digits(now.invocationsPerRequest),
          '',
          '',
        ],
        [
          colors.dim('  fused'),
          '',
          digits(fused.p50Ms.value),
          digits(fused.p95Ms.value),
          digits(fused.costPerMillionUsd?.value ?? Number.NaN),
          digits(fused.invocationsPerRequest),
          withInterval(saves.p50Ms),
          cost(saves.costPerMillionUsd),
        ],
      ]),
      ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    ),
    ...more(advice.entries.length - shown.length, colors),
  ]
}

function edges(advice: Advice, colors: Colors): string[] {
  if (advice.edges.length === 0) return []
  const shown = advice.edges.slice(0, MOST.edges)
  const paint = (verdict: Verdict) =>
    verdict === 'fuse'
      ? colors.green(verdictWords[verdict])
      : verdict === 'keep'
        ? verdictWords[verdict]
        : colors.yellow(verdictWords[verdict])
  const cell = (value: number | undefined) => (value === undefined ? '–' : digits(value))
  return [
    '',
    colors.bold('Calls'),
    table(
      ['call', 'per req.', 'wait ms', 'works ms', 'hand-over', 'advice', 'saves ms', 'saves $/M'],
      shown.map((edge) => [
        edgeName(edge),
        digits(edge.callsPerRequest),
        cell(edge.waitMs),
        cell(edge.runMs),
        cell(edge.handOverMs),
        paint(edge.verdict),
        withInterval(edge.savesMs),
        withInterval(edge.savesPerMillionUsd),
      ]),
      ['left', 'right', 'right', 'right', 'right', 'left', 'right', 'right'],
    ),
    colors.dim('medians; saves: each alone, mean of the requests with the call, and per million of all requests'),
    ...more(advice.edges.length - shown.length, colors),
    ...shown
      .filter(({ verdict }) => verdict !== 'inline' && verdict !== 'keep')
      .slice(0, MOST.names)
      .flatMap((edge) => [
        '',
        `  ${colors.bold(edgeName(edge))}: ${verdictWords[edge.verdict]}`,
        ...edge.why.map((words) => `    ${words}`),
      ]),
  ]
}

/** `order → stock`, `order ⇢ mail` for what nobody waits for. */
export function edgeName({ from, mode, to }: EdgeAdvice): string {
  return `${from} ${mode === 'send' ? '⇢' : '→'} ${to}${mode === 'map' ? ' (map)' : ''}`
}

function groups(advice: Advice, colors: Colors): string[] {
  const fused = advice.groups.filter(({ savesMs }) => savesMs)
  if (fused.length === 0) return []
  return [
    '',
    colors.bold('Functions'),
    ...fused
      .slice(0, MOST.groups)
      .flatMap(({ members, memoryMb, why }) => [
        `  ${colors.cyan(`(${members.join(', ')})`)}${memoryMb === undefined ? '' : ` ${memoryMb} MB`}`,
        ...why.map((words) => `    ${words}`),
      ]),
    ...more(fused.length - MOST.groups, colors),
  ]
}

function sizes(advice: Advice, colors: Colors): string[] {
  const told = advice.sizes.filter(({ from }) => from !== 'nothing')
  if (told.length === 0) return []
  return [
    '',
    colors.bold('Sizes'),
    ...told
      .slice(0, MOST.sizes)
      .flatMap(({ adviseMb, function: name, memoryMb, why }) => [
        `  ${colors.cyan(name)} ${adviseMb === memoryMb ? `keep ${memoryMb} MB` : `${memoryMb} → ${colors.green(`${adviseMb} MB`)}`}`,
        ...why.map((words) => `    ${words}`),
      ]),
    ...more(told.length - MOST.sizes, colors),
  ]
}

function more(count: number, colors: Colors): string[] {
  return count > 0 ? [colors.dim(`  ${count} more with --json`)] : []
}

/** How the figures came about. */
export function footnotes({ assumedMemoryMb, facts }: AdviceContext): string[] {
  return [
    `${facts.name}, ${facts.date}: $${facts.prices.perGbSecond} per GB-s, $${digits(facts.prices.perRequest * 1e6)} per million invocations, start-up ${facts.prices.billsInit ? 'billed' : 'free'}; no gateway.${assumedMemoryMb === undefined ? '' : ` ${assumedMemoryMb} MB assumed where no memory is told.`}`,
    'Intervals: 95%, block bootstrap over requests, widened by what the traces do not tell. Fused figures are replays of the recorded requests, not measurements.',
  ]
}
