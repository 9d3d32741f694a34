import { parseSetup, printSetup, setupId } from 'fusionize/setup'
import pc from 'picocolors'
import { currentSetup } from '../app/current-setup.js'
import { loadApp } from '../app/load-app.js'
import { requireValid } from '../app/require-valid.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'
import { formatBytes, plural, table } from '../terminal/table.js'

export default command({
  help: {
    name: 'build',
    description: 'Bundle the artifacts of every function',
    examples: [
      ['build', 'the adopted setup, or everything remote'],
      ["build --setup '(greet, title)@256'", 'another setup: greet with title inside it, 256 MB'],
    ],
    json: '{ app, setup, notation, functions: [{ function, tasks: [], memoryMb, bytes, hash, externals: [], rebuilt, file }] }',
  },
  args: {
    setup: { type: 'string', valueHint: 'notation', description: 'Setup to build (default: the current one)' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const loaded = await loadApp(args.cwd)
    const app = await loaded.scan()
    const current = args.setup === undefined ? await currentSetup(loaded, app) : undefined
    if (current?.ignored) out.warn(current.ignored)
    const setup = current?.setup ?? requireValid(app, parseSetup(args.setup as string, app), loaded.config.constraints)
    const result = await loaded.builder.build(setup, loaded.config.env)
    const functions = Object.values(result.artifacts).map(({ bytes, externals, file, function: name, hash, tasks }) => {
      const memoryMb = setup.functions[name]?.memory
      return { function: name, tasks, memoryMb, bytes, hash, externals, rebuilt: result.built.includes(name), file }
    })
    const notation = printSetup(setup, app)
    out.result({ app: app.name, setup: setupId(setup), notation, functions }, () => {
      const rows = functions.map((f) => [
        pc.bold(f.function),
        f.tasks.filter((task) => task !== f.function).join(', ') || pc.dim('–'),
        `${f.memoryMb} MB`,
        formatBytes(f.bytes),
        f.hash.slice(0, 12),
        f.rebuilt ? pc.green('rebuilt') : pc.dim('unchanged'),
      ])
      const heading = ['function', 'with tasks', 'memory', 'size', 'hash', '']
      const total = `${plural(functions.length, 'function')}, ${formatBytes(functions.reduce((sum, f) => sum + f.bytes, 0))}`
      return [
        `${pc.bold(app.name)}  ${notation}  ${pc.dim(setupId(setup))}`,
        '',
        table(heading, rows, ['left', 'left', 'right', 'right']),
        '',
        `${total}, ${plural(result.built.length, 'function')} rebuilt`,
      ].join('\n')
    })
  },
})
