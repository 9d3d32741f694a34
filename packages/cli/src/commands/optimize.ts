import { join } from 'node:path'
import type { Goal } from '@fusionize/planner'
import { strategies } from '@fusionize/planner'
import type { LocalOptions } from 'fusionize'
import { openAwsPlatform } from '../app/deployed-host.js'
import { loadApp } from '../app/load-app.js'
import { toDocument } from '../control/document.js'
import { saveText } from '../control/history.js'
import { optimize } from '../control/optimize.js'
import { openOwnPlatform } from '../control/own-platform.js'
import { colorsFor } from '../report/colors.js'
import { reportPage } from '../report/page.js'
import { createProgress } from '../report/progress.js'
import { outcomeText } from '../report/table.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { atEnd, stopSignal, untilStopped } from '../terminal/lifetime.js'
import { createOutput } from '../terminal/output.js'

export default command({
  help: {
    name: 'optimize',
    description: 'Find the best setup: deploy, load, measure, fuse, and measure again',
    examples: [
      ['optimize', 'with strategy closure and the goal of the configuration'],
      ['optimize --baselines', 'and compare with everything remote and everything fused, each at its best memory'],
      ['optimize --strategy published --minimize cost', 'another strategy, another goal'],
      ['optimize --emulate aws-lambda --compare-emulation', 'as on AWS Lambda, and what its delays make of the gain'],
      ['optimize --deployed --requests 300', 'on AWS itself: each setup is deployed, asked 300 times, and paid for'],
    ],
    json: '{ app, platform, emulate, goal, setups: [{ id, notation, strategy, reason, requests, errors, p50Ms, p95Ms, p99Ms, costPerMillionUsd, coldStarts, invocationsPerRequest, … }], baselines: [same], bestId, converged, overhead, … }',
  },
  args: {
    strategy: {
      type: 'string',
      valueHint: 'name',
      default: 'closure',
      description: `One of ${Object.keys(strategies).join(', ')}`,
    },
    minimize: {
      type: 'enum',
      options: ['p50', 'p95', 'p99', 'cost', 'balanced'],
      description: 'What to minimise (default: the goal of the configuration)',
    },
    load: { type: 'enum', options: ['steady', 'burst', 'cold'], default: 'steady', description: 'Load profile' },
    requests: {
      type: 'string',
      valueHint: 'n',
      default: '1000',
      description: 'Samples of each finalist; p99 needs 1000',
    },
    seconds: {
      type: 'string',
      valueHint: 's',
      description: 'Time for the whole run; when it is short, finalists get fewer samples',
    },
    baselines: { type: 'boolean', default: false, description: 'Also measure remote@best and all-fused@best' },
    emulate: {
      type: 'enum',
      options: ['aws-lambda', 'none'],
      description: 'Emulate the delays of a cloud (default: as configured)',
    },
    'compare-emulation': {
      type: 'boolean',
      default: false,
      description: 'Also measure without emulated delays, and tell their share of the gain',
    },
    isolation: { type: 'enum', options: ['processes', 'threads'], description: 'Kind of sandboxes' },
    'max-rounds': { type: 'string', valueHint: 'n', default: '40', description: 'Setups deployed at most' },
    resume: { type: 'boolean', default: true, description: 'Go on with an unfinished run of the same app and goal' },
    fresh: { type: 'boolean', default: false, description: 'Start anew' },
    deployed: {
      type: 'boolean',
      default: false,
      description: 'Measure on AWS, where the load costs money, and serve what is adopted there',
    },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const local = { isolation: args.isolation as LocalOptions['isolation'] }
    const loaded = await loadApp(args.cwd, { local }, args.deployed ? 'aws' : 'local')
    const emulate =
      args.emulate === undefined
        ? loaded.config.local.emulate
        : args.emulate === 'none'
          ? undefined
          : (args.emulate as 'aws-lambda')
    const minimize = (args.minimize ?? loaded.config.goal.minimize) as Goal['minimize']
    const seconds = numberFlag('seconds', args.seconds, { min: 1 })
    const progress = createProgress(process.stderr, colorsFor(process.stderr))
    atEnd(() => {
      progress.end()
      if (stopSignal.aborted)
        out.note(
          'Stopped. The rounds that were done are kept; the same command goes on from there, --fresh starts anew.',
        )
    })
    const run = optimize(
      loaded,
      {
        strategy: args.strategy,
        goal: { ...loaded.config.goal, minimize },
        profile: args.load as 'steady' | 'burst' | 'cold',
        requests: numberFlag('requests', args.requests, { min: 1, whole: true }) as number,
        ...(seconds === undefined ? {} : { seconds }),
        baselines: args.baselines,
        emulate,
        compareEmulation: args['compare-emulation'],
        fresh: args.fresh || !args.resume,
        maxRounds: numberFlag('max-rounds', args['max-rounds'], { min: 1, whole: true }) as number,
      },
      {
        watcher: progress,
        async openPlatform(emulated) {
          if (args.deployed) {
            const platform = await openAwsPlatform(loaded, (words) => progress.note(words))
            return { platform, serves: true, close: () => platform.destroy() }
          }
          const own = await openOwnPlatform(loaded, emulated)
          atEnd(own.close)
          return own
        },
        signal: stopSignal,
        now: () => new Date(),
      },
    )
    const outcome = await run.catch((error) => {
      // The signal's own handler ends the process when everything is cleaned up.
      if (stopSignal.aborted) return untilStopped()
      throw error
    })
    progress.end()
    const report = join(loaded.stateDir, 'report.html')
    await saveText(loaded.stateDir, 'report.html', reportPage(outcome))
    out.result(toDocument(outcome), () =>
      outcomeText(outcome, colorsFor(process.stdout), process.stdout.columns ?? 120),
    )
    out.note(`Adopted in ${join(loaded.stateDir, 'setup.json')}: what 'fusionize dev' serves next. Report: ${report}`)
  },
})
