import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseSetup, printSetup, setupId } from 'fusionize/setup'
import { currentSetup } from '../app/current-setup.js'
import { loadApp } from '../app/load-app.js'
import { requireValid } from '../app/require-valid.js'
import { readHistories } from '../control/history.js'
import { figuresOf } from '../graph/figures.js'
import { callGraph, type Figures } from '../graph/model.js'
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
    json: '{ app, setup, notation, groups: [{ host, memory, entry?, tasks: [] }], nodes: [{ id, task, host, figures? }], edges: [{ from, to, mode, route, figures? }], buckets: [{ id, bucket, host? }], data: [{ from, to, kind, route, triggers?, figures? }] }',
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
    const graph = callGraph(app, setup, await lastFigures(loaded.stateDir, setupId(setup)))
    const notation = printSetup(setup, app)
    if (args.svg !== undefined && args.svg !== '-') {
      await writeFile(resolve(args.svg), graphSvg(graph).text)
      out.note(`Drawing in ${args.svg}`)
    }
    out.result({ ...graph, app: app.name, setup: setupId(setup), notation }, () => {
      if (args.svg === '-') return graphSvg(graph).text
      const colors = colorsFor(process.stdout)
      const head = `${colors.bold(app.name)}  ${colors.cyan(shortenNotation(notation, 90))}  ${colors.dim(setupId(setup))}`
      return `${head}\n\n${graphText(graph, colors)}`
    })
  },
})

/** Figures of the newest run: of this setup where it measured it, else of the last setup that it did. */
async function lastFigures(stateDir: string, id: string): Promise<Figures | undefined> {
  for (const { rounds } of await readHistories(stateDir)) {
    const measured = rounds.filter((round) => round.profile.requests > 0)
    const round = measured.find((x) => x.id === id) ?? measured.at(-1)
    if (round) return figuresOf(round.profile)
  }
  return undefined
}
