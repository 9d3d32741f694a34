import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { mergeProfiles, type Profile, profileFigures } from '@fusionize/planner'
import { parseSetup, printSetup, setupId } from 'fusionize/setup'
import { currentSetup } from '../app/current-setup.js'
import { loadApp } from '../app/load-app.js'
import { requireValid } from '../app/require-valid.js'
import { readHistories } from '../control/history.js'
import { figuresOf } from '../graph/figures.js'
import { callGraph } from '../graph/model.js'
import { graphSvg } from '../graph/svg.js'
import { graphText } from '../graph/text.js'
import { colorsFor } from '../report/colors.js'
import { shortenNotation } from '../report/shorten.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'

export default command({
  help: {
    name: 'graph',
    description: 'Show the call graph: who calls whom, how, and in which function; and what goes through buckets',
    examples: [
      ['graph', 'as a tree, cut by the current setup, with figures of the last run of optimize'],
      ['graph --svg graph.svg', 'as a drawing'],
      ["graph --setup '(greet, title)@256' --svg -", 'another setup, the drawing on stdout'],
    ],
    json: '{ app, setup, notation, groups: [{ host, memory, entry?, tasks: [] }], nodes: [{ id, task, host, figures? }], edges: [{ from, to, mode, route, figures? }], buckets: [{ id, bucket, host? }], data: [{ from, to, kind, route, triggers?, figures? }], profile?: { requests, ownTimes: [{ task, memoryMb, runs, p50Ms, meanMs, split }], calls: [{ from, to, mode, route, calls, parallelShare, beside, bytesIn, bytesOut, handOvers }], startUps: [{ memoryMb, byFunction, atZeroMs?, perMbMs? }] } }',
  },
  args: {
    setup: {
      type: 'string',
      valueHint: 'notation',
      default: 'current',
      description: "Setup that cuts it: a notation, or 'current'",
    },
    svg: { type: 'string', valueHint: 'file', description: "Write a drawing; '-' is stdout" },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const loaded = await loadApp(args.cwd)
    const app = await loaded.scan()
    const current = args.setup === 'current' ? await currentSetup(loaded, app) : undefined
    if (current?.ignored) out.warn(current.ignored)
    const setup = current?.setup ?? requireValid(app, parseSetup(args.setup, app), loaded.config.constraints)
    const seen = await lastRun(loaded.stateDir, setupId(setup))
    const graph = callGraph(app, setup, seen && figuresOf(seen.ofSetup))
    const notation = printSetup(setup, app)
    if (args.svg !== undefined && args.svg !== '-') {
      await writeFile(resolve(args.svg), graphSvg(graph).text)
      out.note(`Drawing in ${args.svg}`)
    }
    const profile = seen && { profile: profileFigures(seen.ofAll) }
    out.result({ ...graph, app: app.name, setup: setupId(setup), notation, ...profile }, () => {
      if (args.svg === '-') return graphSvg(graph).text
      const colors = colorsFor(process.stdout)
      const head = `${colors.bold(app.name)}  ${colors.cyan(shortenNotation(notation, 90))}  ${colors.dim(setupId(setup))}`
      return `${head}\n\n${graphText(graph, colors)}`
    })
  },
})

/** The newest run that measured anything: of this setup, else of the last one, and of all its setups together. */
async function lastRun(stateDir: string, id: string): Promise<{ ofSetup: Profile; ofAll: Profile } | undefined> {
  for (const { rounds } of await readHistories(stateDir)) {
    const measured = rounds.filter((round) => round.profile.requests > 0)
    const round = measured.find((x) => x.id === id) ?? measured.at(-1)
    if (round) return { ofSetup: round.profile, ofAll: measured.map(({ profile }) => profile).reduce(mergeProfiles) }
  }
  return undefined
}
