import { availableParallelism } from 'node:os'
import { defaults } from '@fusionize/local'
import {
  recordedEntries,
  recordedWorld,
  type SimulatedPlatform,
  type SimulationResult,
  simulate,
} from '@fusionize/planner'
import { FusionizeError } from 'fusionize'
import { printSetup, setupId } from 'fusionize/setup'
import pc from 'picocolors'
import { loadApp } from '../app/load-app.js'
import { readRecords } from '../app/record-files.js'
import { openOwnPlatform } from '../control/own-platform.js'
import { digits, percent, usd, withMargin } from '../report/format.js'
import { shortenNotation } from '../report/shorten.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'
import { plural, table } from '../terminal/table.js'
import { loadOf, loadText } from './simulate/load.js'
import { type NamedSetup, namedSetup } from './simulate/setups.js'

export default command({
  help: {
    name: 'simulate',
    description: 'Simulate setups under a load, from what the functions did when they were recorded',
    examples: [
      ['simulate', 'the current setup under the steady load of the configuration'],
      ['simulate current remote all-fused --rate 100', 'three setups under the same requests'],
      ["simulate '(greet, title)@256' --burst 5..40 --keep-alive 60", 'any setup, more and more requests'],
      ['simulate --concurrency-limit 10 --seed 7 --json', 'where requests wait for one of 10 sandboxes'],
    ],
    json: '{ app, seed, load, platform, records, neverRan: [task], unknown: [text], setups: [{ name, id, notation, requests, stuck, latency: { n, meanMs, minMs, p50Ms, p95Ms, p99Ms, maxMs }, entries: { [task]: same }, costPerMillionUsd, cost: { compute, requests, startup, gateway }, estimates: { p50Ms, p95Ms, p99Ms, costPerMillionUsd: { value, low, high, n } }, invocations, invocationsPerRequest, coldStarts, coldShare, coldRequestShare, coldCriticalMs, doubleBillingShare, queue: { share, meanMs, longest }, sandboxes, lengthMs, functions: { [name]: { memoryMb, invocations, coldStarts, wallMs, costPerMillionUsd } } }] }',
    rest: true,
  },
  args: {
    rate: { type: 'string', valueHint: 'rps', description: "Requests per second (default: the configuration's)" },
    burst: { type: 'string', valueHint: 'from..to', description: 'Rates that rise step by step, as the burst profile' },
    requests: { type: 'string', valueHint: 'n', description: 'How many (default: 10000)' },
    evenly: { type: 'boolean', default: false, description: 'Evenly spaced requests (default: Poisson arrivals)' },
    seed: { type: 'string', valueHint: 'n', default: '1', description: 'The same seed gives the same figures' },
    'keep-alive': { type: 'string', valueHint: 's', description: 'How long an idle sandbox is kept' },
    'concurrency-limit': {
      type: 'string',
      valueHint: 'n',
      description: 'Sandboxes with work at a time (default: any)',
    },
    'forced-cold': { type: 'boolean', default: false, description: 'Every invocation starts a sandbox' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const loaded = await loadApp(args.cwd)
    const load = loadOf(args, loaded.config.load.profiles)
    const seed = numberFlag('seed', args.seed, { min: 0, max: 2 ** 32 - 1, whole: true }) as number
    const keepAliveSeconds = numberFlag('keep-alive', args['keep-alive'], { min: 0 })
    const limit = numberFlag('concurrency-limit', args['concurrency-limit'], { min: 1, whole: true })
    const app = await loaded.scan()
    const words = args._.length > 0 ? args._ : ['current']
    const setups: NamedSetup[] = []
    for (const word of words) setups.push(await namedSetup(word, loaded, app))
    for (const { ignored } of setups) if (ignored) out.warn(ignored)
    const { records, broken } = await readRecords(loaded.stateDir, loaded.name)
    if (broken > 0) out.warn(`${plural(broken, 'line')} in ${loaded.stateDir} are no records and were passed over`)
    if (records.length === 0)
      throw new FusionizeError(
        'INVALID_INPUT',
        `nothing was recorded in ${loaded.stateDir}; run 'fusionize dev', let it serve some requests, and simulate then`,
      )
    const { platform: opened, close } = await openOwnPlatform(loaded, undefined)
    const facts = opened.facts()
    await close()
    const world = recordedWorld(records, {
      app,
      facts,
      cores: availableParallelism(),
      keepAliveMs:
        keepAliveSeconds === undefined
          ? (loaded.config.local.keepAliveMs ?? defaults.keepAliveMs)
          : keepAliveSeconds * 1000,
    })
    const { behaviour, neverRan, unknown } = world
    const platform: SimulatedPlatform = {
      ...world.platform,
      forcedCold: args['forced-cold'],
      ...(limit === undefined ? {} : { concurrencyLimit: limit }),
    }
    if (neverRan.length > 0) out.warn(`never recorded, so simulated as doing nothing: ${neverRan.join(', ')}`)
    for (const what of unknown) out.warn(`not known, so simulated as 0 ms: ${what}`)
    const entries = recordedEntries(records)
    const simulated = setups.map(({ name, setup }) => {
      const result = simulate(behaviour, setup, platform, { arrivals: load, entries, seed })
      if (result.stuck > 0) out.warn(`${name}: ${plural(result.stuck, 'request')} had no reply at the end`)
      return { name, id: setupId(setup), notation: printSetup(setup, app), ...result }
    })
    const document = { app: app.name, seed, load, platform: facts.platform, records: records.length, neverRan, unknown }
    out.result({ ...document, setups: simulated }, () => {
      const head = `${pc.bold(app.name)}  ${loadText(load)}, from ${plural(records.length, 'record')}`
      const lines = simulated.map(({ name, notation }) => `${name}  ${pc.dim(shortenNotation(notation, 100))}`)
      return [head, ...lines, '', resultTable(simulated)].join('\n')
    })
    out.note('Latencies are without the way to the client, which records do not tell.')
  },
})

function resultTable(results: readonly (SimulationResult & { name: string })[]): string {
  const heading = [
    'setup',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    '$ / M',
    'cold',
    'waiting',
    'queue ms',
    'sandboxes',
    'inv. / req.',
  ]
  const rows = results.map((result) => [
    result.name,
    withMargin(result.estimates.p50Ms),
    withMargin(result.estimates.p95Ms),
    withMargin(result.estimates.p99Ms),
    usd(result.costPerMillionUsd),
    percent(result.coldShare),
    percent(result.doubleBillingShare),
    digits(result.queue.meanMs),
    String(result.sandboxes),
    digits(result.invocationsPerRequest),
  ])
  return table(heading, rows, ['left', ...heading.slice(1).map(() => 'right' as const)])
}
