import { printSetup, setupId } from 'fusionize/setup'
import pc from 'picocolors'
import { currentSetup } from '../app/current-setup.js'
import { type DevServer, runningServer } from '../app/dev-file.js'
import { appDir, loadApp } from '../app/load-app.js'
import { deployedManager, managerReport } from '../app/managed.js'
import { openAws } from '../app/open-aws.js'
import { deployedArg, openReadingHost } from '../app/open-host.js'
import { stateDirOf } from '../app/state-dir.js'
import { bucketTable } from '../terminal/bucket-table.js'
import { command } from '../terminal/command.js'
import { managerLines } from '../terminal/manager-lines.js'
import { createOutput } from '../terminal/output.js'
import { table } from '../terminal/table.js'

export default command({
  help: {
    name: 'status',
    description: 'Show what runs: setups, sandboxes, sends that wait, and what is in buckets',
    examples: [
      ['status', 'of the running dev server, else of what is kept in the folder'],
      [
        'status --deployed',
        'of what is deployed: which setups serve, what failed for good, what is in buckets, and what its manager did',
      ],
    ],
    json: '{ running, pid?, url?, current: { setup, notation, adopted } | null, platform, setups: [{ id, weight, sessions }], functions: [{ function, setup, sandboxes: { starting, idle, busy }, queued }], sends: { pending, retrying, dead }, buckets: [{ bucket, objects, bytes, sessions, oldestMs }], manager?: { lastRun: { atMs, did, why } | null, serving, trial, isDone, tried: [{ id, notation, strategy, atMs, became, why, requests, p50Ms, costPerMillionUsd }], spent: { sinceMs, runs, usd, requests, appUsd, share } } }',
  },
  args: deployedArg,
  async run({ args }) {
    const out = createOutput(args.json)
    const server = args.deployed ? undefined : await runningServer(stateDirOf(appDir(args.cwd)))
    const loaded = await loadApp(args.cwd)
    const current = await loaded.scan().then(
      async (app) => {
        const { adopted, ignored, setup } = await currentSetup(loaded, app)
        if (ignored) out.warn(ignored)
        return { setup: setupId(setup), notation: printSetup(setup, app), adopted }
      },
      () => null,
    )
    const host = await openReadingHost(args.cwd, args.deployed)
    const status = await host.status()
    const manager = args.deployed ? await managerOf(args.cwd) : undefined
    const { buckets = [], functions, platform, sends, setups } = status
    const document = { running: server !== undefined, pid: server?.pid, url: server?.url, current }
    out.result({ ...document, platform, setups, functions, sends, buckets, ...(manager && { manager }) }, () => {
      const lines = [
        `${pc.bold(loaded.name)}  ${whereOf(server, args.deployed)}`,
        current
          ? `setup  ${current.notation}  ${pc.dim(`${current.setup}, ${current.adopted ? 'adopted' : 'first: nothing adopted yet'}`)}`
          : pc.yellow("the source has mistakes: 'fusionize build' names them"),
        `sends  ${countOf(sends.pending)} pending, ${countOf(sends.retrying)} waiting for a retry, ${sends.dead} dead`,
      ]
      if (setups.length > 0)
        lines.push(
          '',
          table(
            ['setup', 'weight', 'sessions'],
            setups.map((s) => [s.id, `${s.weight}`, countOf(s.sessions)]),
            ['left', 'right', 'right'],
          ),
        )
      if (functions.length > 0) {
        const rows = functions.map((f) => {
          const { busy, idle, starting } = f.sandboxes
          return [pc.bold(f.function), f.setup, `${starting}`, `${idle}`, `${busy}`, `${f.queued}`]
        })
        const heading = ['function', 'setup', 'starting', 'idle', 'busy', 'queued']
        lines.push('', table(heading, rows, ['left', 'left', 'right', 'right', 'right', 'right']))
      }
      if (buckets.length > 0) lines.push('', bucketTable(buckets))
      if (manager) lines.push('', ...managerLines(manager))
      return lines.join('\n')
    })
  },
})

async function managerOf(cwd: string) {
  const loaded = await loadApp(cwd, {}, 'aws')
  const { clients, options } = await openAws(loaded)
  return managerReport(await deployedManager(loaded, options, clients))
}

/** A count that a platform may not know. */
function countOf(count: number | null): string {
  return count === null ? '–' : `${count}`
}

function whereOf(server: DevServer | undefined, deployed: boolean): string {
  if (deployed) return pc.green('deployed')
  return server ? `${pc.green('running')} at ${server.url}, process ${server.pid}` : 'not running'
}
