import { createHash } from 'node:crypto'
import { failure, problem } from 'fusionize/http'
import { readInput } from './body.js'
import { type App, type Desk, invoke } from './entries.js'

/** What the `fusionize` command of another process uses: state, logs, dead letters, and tasks that are no entries. */
export function serveControl(app: App, desk: Desk): void {
  const { bodyLimit } = desk
  const { control } = desk.options
  const answer = (work: Promise<unknown>) => work.then((value) => Response.json(value), refusal)

  app.get('/_fusionize/status', () => answer(control.status()))
  app.get('/_fusionize/records', (c) => answer(control.records(c.req.query('since'))))
  app.get('/_fusionize/logs', (c) => answer(control.logs(c.req.query('since'))))
  app.get('/_fusionize/sessions/:id', async (c) => {
    const id = c.req.param('id')
    const session = await control.session(id)
    if (session) return answer(Promise.resolve(session))
    return c.json(
      { error: `nothing is known of session ${id}: it has not begun, or it used no bucket and is over` },
      404,
    )
  })
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
  app.post('/_fusionize/flush', () => answer(control.flush().then((fired) => ({ fired }))))
  app.post('/_fusionize/invoke/:task', async (c) => {
    const input = await readInput(c.env.incoming, bodyLimit)
    return input instanceof Response ? input : invoke(c, desk, c.req.param('task'), input)
  })
  app.post('/_fusionize/send/:task', async (c) => {
    const input = await readInput(c.env.incoming, bodyLimit)
    if (input instanceof Response) return input
    const task = c.req.param('task')
    const key = c.req.header('idempotency-key')
    return control
      .send(task, input, key === undefined ? {} : { id: idOf(task, key) })
      .then((value) => Response.json(value, { status: 202 }), refusal)
  })
  app.all('/_fusionize/*', (c) =>
    problem(404, 'NOT_FOUND', `there is no control endpoint ${c.req.method} ${c.req.path}`),
  )
}

const refusal = (error: unknown) => failure(error)

/** The same for each try of one client's send; keys of different tasks have nothing to do with each other. */
function idOf(task: string, key: string): string {
  return createHash('sha256').update(`${task}\n${key}`).digest('hex').slice(0, 32)
}
