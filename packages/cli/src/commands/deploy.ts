import type { Clients, DeployOptions, DryRun, Preparation } from '@fusionize/aws'
import type { Build } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { parseSetup } from 'fusionize/setup'
import pc from 'picocolors'
import { currentSetup } from '../app/current-setup.js'
import { type LoadedApp, loadApp } from '../app/load-app.js'
import { besideManager, type DeployedManager, deployedManager, managedSetup } from '../app/managed.js'
import { managedOptions, managerZip } from '../app/manager-zip.js'
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
      [
        'deploy --managed',
        'with a manager on AWS that measures real requests, tries better setups on a share of them, and keeps the best',
      ],
      ['deploy --no-managed', 'ends the manager; the setup that it left in service stays'],
      ["deploy --setup '(greet, title)@256' --requests 5000000", 'another setup; the cost of 5 million requests'],
    ],
    json: '{ app, prefix, region, setup, deployed, dryRun, functions: [{ function, name, tasks: [], memoryMb, timeoutS, zipBytes, entry? }], steps: [{ phase, resource, does }], warnings: [], cost: { requests, totalUsd, lines: [{ service, what, quantity, unit, usd }], functions: [{ function, invocations, durationMs, gbSeconds, usd }], assumed: [], prices: [{ name, date, source }] }, changed?: [], urls?: { task: url } }',
  },
  args: {
    'dry-run': { type: 'boolean', default: false, description: 'Only tell what would be done, and what it costs' },
    setup: { type: 'string', valueHint: 'notation', description: 'Setup to deploy (default: the current one)' },
    managed: {
      type: 'boolean',
      description: 'With a manager on AWS that changes setups by itself (default: as it is now)',
    },
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
    const { clients, notes, options } = isDry ? await openAwsIfPossible(loaded) : await openAws(loaded)
    for (const note of notes) out.warn(note)
    const asked = { setup: args.setup, managed: args.managed, requests, isDry }
    const work = () => deployment(loaded, asked, options, clients, out)
    if (isDry || !clients) return work()
    await besideManager(loaded, options, clients, work, (untilMs) =>
      out.note(`Waiting for a run of the manager, until ${new Date(untilMs).toISOString()} at the latest`),
    )
  },
})

/** What the command line asks for. */
interface Asked {
  setup?: string | undefined
  managed?: boolean | undefined
  requests: number
  isDry: boolean
}

/** Plans the deployment, tells of it, and carries it out unless it is dry. @param clients null: as if nothing were deployed */
async function deployment(
  loaded: LoadedApp,
  asked: Asked,
  given: DeployOptions,
  clients: Clients | null,
  out: Output,
): Promise<void> {
  const manager: DeployedManager = clients ? await deployedManager(loaded, given, clients) : { isThere: false }
  const isManaged = asked.managed ?? manager.isThere
  if (manager.isThere && asked.managed === undefined)
    out.note("The app has a manager, which gets the new code too; 'fusionize deploy --no-managed' ends it")
  const build = await buildOf(loaded, asked.setup, manager, out)
  const options = { ...given, managed: isManaged ? managedOptions(loaded) : (false as const) }
  const { dryRunDocument, dryRunText, estimateCost, prepareDeployment, settingsOf } = await import('@fusionize/aws')
  const { prefix } = settingsOf(loaded.name, options)
  const { managed } = options
  const zip = managed ? await managerZip(loaded, { ...options, prefix, managed }, build.setup) : undefined
  const prepared = await prepareDeployment(build, options, clients, zip)
  const profile = await lastUsage(loaded.stateDir)
  const cost = estimateCost(build.app, build.setup, prepared.desired, { requests: asked.requests, profile })
  const document = dryRunDocument(prepared.desired, prepared.plan, cost, entriesOf(build))
  for (const warning of prepared.plan.warnings) out.warn(warning)
  if (asked.isDry || !clients)
    return out.result({ ...document, dryRun: true }, () => `${dryRunText(document)}\n\nNothing was changed.`)
  const { changed, urls } = await carryOut(prepared, clients, out)
  out.result({ ...document, dryRun: false, changed, urls }, () => doneText(document, changed, urls))
}

/** The setup that is asked for, else the one that a manager has in service, else the current one. */
async function buildOf(
  loaded: LoadedApp,
  notation: string | undefined,
  manager: DeployedManager,
  out: Output,
): Promise<Build> {
  const app = await loaded.scan()
  const managed = notation === undefined ? managedSetup(manager, app, loaded) : undefined
  if (managed) return loaded.builder.build(managed, loaded.config.env)
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
async function carryOut(prepared: Preparation, clients: Clients, out: Output) {
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
