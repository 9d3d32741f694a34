import type { DryRun, Preparation } from '@fusionize/aws'
import type { Build } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { parseSetup } from 'fusionize/setup'
import pc from 'picocolors'
import { currentSetup } from '../app/current-setup.js'
import { type LoadedApp, loadApp } from '../app/load-app.js'
import { openAws, openAwsIfPossible } from '../app/open-aws.js'
import { requireValid } from '../app/require-valid.js'
import { lastUsage } from '../app/usage-profile.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { atEnd, stopSignal } from '../terminal/lifetime.js'
import { createOutput, type Output } from '../terminal/output.js'
import { plural } from '../terminal/table.js'

export default command({
  help: {
    name: 'deploy',
    description: 'Bring the current setup into service on AWS Lambda',
    examples: [
      ['deploy --dry-run', 'everything that would be made, and what a month costs; changes nothing, needs no account'],
      ['deploy', 'the adopted setup, or everything remote; run again after a failure, it goes on where it stopped'],
      ["deploy --setup '(greet, title)@256' --requests 5000000", 'another setup; the cost of 5 million requests'],
    ],
    json: '{ app, prefix, region, setup, deployed, dryRun, functions: [{ function, name, tasks: [], memoryMb, timeoutS, zipBytes, entry? }], steps: [{ phase, resource, does }], warnings: [], cost: { requests, totalUsd, lines: [{ service, what, quantity, unit, usd }], functions: [{ function, invocations, durationMs, gbSeconds, usd }], assumed: [], prices: [{ name, date, source }] }, changed?: [], urls?: { task: url } }',
  },
  args: {
    'dry-run': { type: 'boolean', default: false, description: 'Only tell what would be done, and what it costs' },
    setup: { type: 'string', valueHint: 'notation', description: 'Setup to deploy (default: the current one)' },
    requests: {
      type: 'string',
      valueHint: 'n',
      default: '1000000',
      description: 'Requests a month that the cost is estimated for',
    },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const requests = numberFlag('requests', args.requests, { min: 0 }) as number
    const isDry = args['dry-run']
    const loaded = await loadApp(args.cwd, {}, 'aws')
    if (!isDry && loaded.config.platform !== 'aws')
      throw new FusionizeError(
        'INVALID_CONFIG',
        "the configuration does not say that the application serves on AWS; set platform: 'aws', or see what would be made with 'fusionize deploy --dry-run'",
      )
    const build = await buildOf(loaded, args.setup, out)
    const { clients, notes, options } = isDry ? await openAwsIfPossible(loaded) : await openAws(loaded)
    for (const note of notes) out.warn(note)
    const { dryRunDocument, dryRunText, estimateCost, prepareDeployment } = await import('@fusionize/aws')
    const prepared = await prepareDeployment(build, options, clients)
    const profile = await lastUsage(loaded.stateDir)
    const cost = estimateCost(build.app, build.setup, prepared.desired, { requests, profile })
    const document = dryRunDocument(prepared.desired, prepared.plan, cost, entriesOf(build))
    for (const warning of prepared.plan.warnings) out.warn(warning)
    if (isDry || !clients)
      return out.result({ ...document, dryRun: true }, () => `${dryRunText(document)}\n\nNothing was changed.`)
    const { changed, urls } = await carryOut(prepared, clients, out)
    out.result({ ...document, dryRun: false, changed, urls }, () => doneText(document, changed, urls))
  },
})

async function buildOf(loaded: LoadedApp, notation: string | undefined, out: Output): Promise<Build> {
  const app = await loaded.scan()
  const current = notation === undefined ? await currentSetup(loaded, app) : undefined
  if (current?.ignored) out.warn(current.ignored)
  const setup = current?.setup ?? requireValid(app, parseSetup(notation as string, app), loaded.config.constraints)
  return loaded.builder.build(setup, loaded.config.env)
}

function entriesOf({ app }: Build): Record<string, string> {
  return Object.fromEntries(
    Object.values(app.tasks).flatMap(({ http, name }) => (http ? [[name, `${http.method} ${http.path}`]] : [])),
  )
}

/** Tells of every step; when the user ends it, the steps under way are finished first. */
async function carryOut(
  prepared: Preparation,
  clients: Parameters<typeof import('@fusionize/aws').carryOutDeployment>[1],
  out: Output,
) {
  const { carryOutDeployment } = await import('@fusionize/aws')
  const total = prepared.plan.steps.length
  let done = 0
  const running = carryOutDeployment(prepared, clients, {
    signal: stopSignal,
    onStep(step, state) {
      if (state === 'done')
        out.note(`${`${++done}`.padStart(`${total}`.length)}/${total} ${step.resource}: ${step.words}`)
    },
  })
  const ended = atEnd(async () => {
    await running.catch(() => {})
    if (stopSignal.aborted && done < total)
      out.warn(`stopped after ${done} of ${total} steps; run it again and it goes on`)
  })
  const result = await running
  await ended()
  return result
}

function doneText({ app, deployed, region, setup }: DryRun, changed: string[], urls: Record<string, string>): string {
  const what = changed.length === 0 ? 'nothing was to be changed' : `${plural(changed.length, 'function')} changed`
  return [
    `${pc.bold(app)} serves in ${region} by setup ${pc.cyan(setup)} ${pc.dim(deployed)}: ${what}`,
    ...Object.entries(urls).map(([task, url]) => `  ${task}  ${url}`),
  ].join('\n')
}
