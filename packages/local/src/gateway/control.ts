import { readInput } from './body.js'
import { type App, invoke } from './entries.js'
import type { GatewayOptions } from './options.js'
import { failure, problem } from './replies.js'

/** What the `fusionize` command of another process uses: state, logs, dead letters, and tasks that are no entries. */
export function serveControl(app: App, options: GatewayOptions, bodyLimit: number): void {
  const { control } = options
  const answer = (work: Promise<unknown>) => work.then((value) => Response.json(value), failure)

  app.get('/_fusionize/status', () => answer(control.status()))
  app.get('/_fusionize/records', (c) => answer(control.records(c.req.query('since'))))
  app.get('/_fusionize/logs', (c) => answer(control.logs(c.req.query('since'))))
  app.get('/_fusionize/dead-letters', () =>
    answer(
      control.deadLetters().then((letters) =>
        letters.map(({ input, ...letter }) => ({
          ...letter,
          input:
            typeof input === 'string' || input === undefined
              ? input
              : { base64: Buffer.from(input).toString('base64') },
        })),
      ),
    ),
  )
  app.post('/_fusionize/dead-letters/replay', async (c) => {
    const input = await readInput(c.env.incoming, bodyLimit)
    if (input instanceof Response) return input
    const { ids } = (typeof input === 'string' ? JSON.parse(input) : {}) as { ids?: unknown }
    if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
      return problem(400, 'INVALID_INPUT', 'ids must be a list of dead letters’ ids; leave it out for all')
    return answer(control.replay(ids as string[] | undefined).then((replayed) => ({ replayed })))
  })
  app.post('/_fusionize/invoke/:task', async (c) => {
    const input = await readInput(c.env.incoming, bodyLimit)
    return input instanceof Response ? input : invoke(c, options, c.req.param('task'), input)
  })
  app.post('/_fusionize/send/:task', async (c) => {
    const input = await readInput(c.env.incoming, bodyLimit)
    if (input instanceof Response) return input
    const id = c.req.header('idempotency-key')
    const accepted = control.send(c.req.param('task'), input, id === undefined ? {} : { id })
    return accepted.then((value) => Response.json(value, { status: 202 }), failure)
  })
  app.all('/_fusionize/*', (c) =>
    problem(404, 'NOT_FOUND', `there is no control endpoint ${c.req.method} ${c.req.path}`),
  )
}
