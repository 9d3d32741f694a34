import type { LocalOptions } from 'fusionize'
import { entryTasks } from 'fusionize/setup'
import pc from 'picocolors'
import { announce, runningServer } from '../app/dev-file.js'
import { loadApp } from '../app/load-app.js'
import { openPlatform } from '../app/open-platform.js'
import { poll } from '../app/poll.js'
import { pumpLogs } from '../app/pump-logs.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { atEnd, untilStopped } from '../terminal/lifetime.js'
import { createOutput } from '../terminal/output.js'
import { columns } from '../terminal/table.js'
import { requestLines } from './dev/requests.js'
import { createServer, type Served, serveNow } from './dev/serve.js'
import { watchApp } from './dev/watch.js'

export default command({
  help: {
    name: 'dev',
    description: 'Run the application here, and again after every change',
    examples: [
      ['dev', 'with the adopted setup, or everything remote'],
      ['dev --port 0 --isolation threads', 'on any free port, fast to start'],
      ['dev --emulate aws-lambda', 'with the delays of AWS Lambda'],
    ],
    json: '{ app, url, pid, setup, notation, adopted, entries: [{ task, method, path, url }], callable: [task] }   when it is ready; logs go to stderr',
  },
  args: {
    port: { type: 'string', valueHint: 'n', description: 'Port, 0 for any (default: as configured, else 7070)' },
    isolation: { type: 'enum', options: ['processes', 'threads'], description: 'Kind of sandboxes' },
    emulate: { type: 'enum', options: ['aws-lambda'], description: 'Emulate the delays of a cloud' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const local: LocalOptions = {
      port: numberFlag('port', args.port, { min: 0, max: 65535, whole: true }),
      isolation: args.isolation as LocalOptions['isolation'],
      emulate: args.emulate as LocalOptions['emulate'],
    }
    const loaded = await loadApp(args.cwd, { local })
    const other = await runningServer(loaded.stateDir)
    if (other)
      throw new Failure(
        `'fusionize dev' already runs for ${loaded.name}: ${other.url}, process ${other.pid}; stop it first`,
      )

    const requests = requestLines((line) => out.line(line))
    const platform = await openPlatform(loaded, { dev: true, onRequest: (request) => requests.request(request) })
    atEnd(() => platform.destroy())
    const served = await serveNow(loaded, platform, out)
    const { token } = loaded.config.local
    atEnd(await announce(loaded.stateDir, { pid: process.pid, url: platform.url as string, ...(token && { token }) }))

    const logs = pumpLogs(platform, loaded.stateDir, (line) => out.line(line))
    atEnd(() => logs.end())
    let cursor = await skipRecords(platform)
    const records = poll(50, async () => {
      const page = await platform.records(cursor)
      cursor = page.next
      requests.records(page.lines)
    })
    atEnd(() => records.end())

    const server = createServer(loaded, platform, { local }, out)
    const watching = await watchApp(loaded.dir, loaded.stateDir, async (files) => {
      await server.changed(files)
      watching.add(server.inputs())
    })
    watching.add(server.inputs())
    atEnd(() => watching.close())

    const document = describe(served, platform.url as string)
    out.result(document, () => welcome(document, loaded.config.local))
    await untilStopped()
  },
})

function describe({ adopted, app, notation, setup }: Served, url: string) {
  const entries = Object.values(app.tasks).flatMap(({ http, name }) =>
    http ? [{ task: name, ...http, url: url + http.path }] : [],
  )
  const callable = entries.length > 0 ? [] : entryTasks(app)
  return { app: app.name, url, pid: process.pid, setup, notation, adopted, entries, callable }
}

function welcome(served: ReturnType<typeof describe>, { emulate, isolation = 'processes' }: LocalOptions): string {
  const { adopted, app, callable, entries, notation, url } = served
  const extras = [isolation, ...(emulate ? [`emulating ${emulate}`] : []), adopted ? 'adopted setup' : 'first setup']
  return [
    `${pc.bold(app)} at ${pc.cyan(url)}  ${pc.dim(extras.join(', '))}`,
    pc.dim(notation),
    '',
    ...columns(entries.map(({ method, task, url }) => [pc.bold(method), pc.cyan(url), pc.dim(task)])),
    ...(entries.length > 0
      ? []
      : [`No task has an http option. Run one with: fusionize invoke ${callable[0] ?? '<task>'}`]),
    '',
    pc.dim('Watching for changes; Ctrl-C ends it.'),
  ].join('\n')
}

async function skipRecords(platform: { records(since?: string): Promise<{ lines: string[]; next: string }> }) {
  let page = await platform.records()
  while (page.lines.length > 0) page = await platform.records(page.next)
  return page.next
}
