import type { CostEstimate } from './cost.js'
import { kilobytes } from './plan-functions.js'
import { type Desired, ofKind } from './resources.js'
import type { Plan } from './steps.js'

/** What a deployment would do and what it would cost, as one document. */
export interface DryRun {
  app: string
  prefix: string
  region: string
  setup: string
  deployed: string
  functions: {
    function: string
    name: string
    tasks: string[]
    memoryMb: number
    timeoutS: number
    zipBytes: number
    entry?: string
  }[]
  steps: { phase: string; resource: string; does: string }[]
  warnings: string[]
  cost: CostEstimate
}

/** @param http entries by task, as in `POST /readings` */
export function dryRunDocument(
  desired: Desired,
  plan: Plan,
  cost: CostEstimate,
  http: Record<string, string> = {},
): DryRun {
  const { app, prefix, region } = desired.settings
  return {
    ...{ app, prefix, region, setup: desired.setup, deployed: desired.deployed },
    functions: ofKind(desired, 'function').map(({ code, function: fn, memoryMb, name, tasks, timeoutS }) => ({
      ...{ function: fn, name, tasks, memoryMb, timeoutS, zipBytes: code.bytes },
      ...(Object.hasOwn(http, fn) && { entry: http[fn] as string }),
    })),
    steps: plan.steps.map(({ phase, resource, words }) => ({ phase, resource, does: words })),
    warnings: plan.warnings,
    cost,
  }
}

const titles: Record<string, string> = {
  shared: 'Shared',
  roles: 'Roles',
  functions: 'Functions (nothing serves by them yet)',
  schedules: 'Schedules',
  switch: 'Switch (new sessions take the setup)',
  entries: 'Entries',
  manager: 'Manager',
  retire: 'Setups that were replaced',
  clean: 'Retirement',
  'roles-clean': 'Roles of what retired',
}

/** The same for people; without colours. */
export function dryRunText(run: DryRun): string {
  const lines = [
    `${run.app} in ${run.region}: setup ${run.setup}, deployed as ${run.deployed}, names begin with ${run.prefix}`,
    '',
    ...run.functions.map(
      (one) =>
        `  ${one.name}  ${one.memoryMb} MB, ${one.timeoutS} s, ${kilobytes(one.zipBytes)}${one.entry ? `, ${one.entry}` : ''}${others(one)}`,
    ),
  ]
  let phase = ''
  for (const step of run.steps) {
    if (step.phase !== phase) lines.push('', titles[step.phase] ?? step.phase)
    phase = step.phase
    lines.push(`  ${step.resource}: ${step.does}`)
  }
  if (run.steps.length === 0) lines.push('', 'Nothing to do: everything is as it should be.')
  return [...lines, '', ...costText(run.cost)].join('\n')
}

function others({ function: fn, tasks }: DryRun['functions'][number]): string {
  const inside = tasks.filter((task) => task !== fn)
  return inside.length > 0 ? `, with ${inside.join(', ')}` : ''
}

/** The estimate in lines, with what it takes for granted. */
export function costText({ assumed, lines, prices, requests, totalUsd }: CostEstimate): string[] {
  const shown = lines.filter(({ quantity }) => quantity > 0)
  const cells = shown.map(({ quantity, service, unit, usd, what }) => [
    `${service}: ${what}`,
    `${quantity.toLocaleString('en-US', { maximumFractionDigits: quantity < 100 ? 2 : 0 })} ${unit}`,
    usdText(usd),
  ])
  const widths = [0, 1, 2].map((i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)))
  const row = ([what = '', quantity = '', usd = '']: string[]) =>
    `  ${what.padEnd(widths[0] ?? 0)}  ${quantity.padStart(widths[1] ?? 0)}  ${usd.padStart(widths[2] ?? 0)}`
  return [
    `About ${usdText(totalUsd)} a month at ${requests.toLocaleString('en-US')} requests`,
    ...cells.map(row),
    'Assumed:',
    ...assumed.map((text) => `  ${text}`),
    ...prices.map(({ date, name, source }) => `  prices of ${name}: ${date}, ${source}`),
  ]
}

function usdText(usd: number): string {
  return `$${usd < 0.01 && usd > 0 ? usd.toPrecision(2) : usd.toFixed(2)}`
}
