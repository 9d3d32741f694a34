import { task } from 'fusionize'
import { createHandler, type FunctionModule, type Handler, type HeldSend, type Transport } from 'fusionize/runtime'
import { expect, it } from 'vitest'
import { invocations, type Work } from './invocations.js'

/** Something that happens in a test, and can be made to happen. */
function gate() {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

interface World {
  told: string[]
  start(work?: Partial<Work>, endMs?: number): ReturnType<ReturnType<typeof invocations>>
}

/** One function with `first`, which sends to `second`, both here. */
function world(options: {
  holds?: 'kept' | 'refused'
  first?: () => Promise<unknown>
  second?: () => Promise<void>
}): World {
  const told: string[] = []
  const tell = (what: string) => void told.push(what)
  const second = task('second', async () => {
    tell('second begins')
    await options.second?.()
    tell('second ends')
  })
  const first = task('first', async () => {
    await second.send()
    tell('first ends')
    return (await options.first?.()) ?? 1
  })
  const module: FunctionModule = {
    ...{ app: 'app', function: 'first', tasks: [first, second], leaves: [] },
    inline: { call: [], send: ['second'], map: [] },
  }
  const transport = { log: ({ message }) => tell(message) } as Partial<Transport> as Transport
  const info = { setup: 's', sandbox: 'x', memory: 128, sampleCpuEvery: 0, timeoutMs: 1000, dev: false }
  const handler: Handler = createHandler(module, info, transport)
  const begin = invocations({
    handler: () => handler,
    limitOf: () => 1000,
    holds: options.holds && {
      async keep(sends: readonly HeldSend[]) {
        if (options.holds === 'refused') throw new Error('the table is full')
        tell(`held ${sends.map((send) => send.task)}`)
        return 'name'
      },
      letGo: async (names) => tell(`let go ${names}`),
      sweep: async () => 0,
    },
    again: async (send, { error }) => tell(`${send.task} again after ${error.message}`),
    cold: () => ({ cold: null }),
    record: (_, request) => tell(`record of ${request}`),
    log: (_, __, message) => tell(message),
  })
  const work: Work = {
    ...{ id: 'i', session: 's', task: 'first', mode: 'call', input: undefined, external: true, attempt: 1 },
    ...{ trace: 't', parent: null, deadline: Number.MAX_SAFE_INTEGER },
  }
  return { told, start: (more, endMs = 60_000) => begin({ ...work, ...more }, Date.now() + endMs, 'r') }
}

it('what a reply leaves behind is held before the reply leaves, runs after it, and is let go when it is over', async () => {
  const late = gate()
  const { told, start } = world({ holds: 'kept', second: () => late.opened })
  const { reply, done } = start()
  expect(await reply).toEqual({ ok: true, output: '1' })
  expect(told).toEqual(['first ends', 'held second'])
  late.open()
  await done
  expect(told.slice(2)).toEqual(['second begins', 'second ends', 'record of r', 'let go name'])
})

it('where nothing can be held, it ends before the reply', async () => {
  const { told, start } = world({})
  const { reply, done } = start()
  await reply
  expect(told).toEqual(['first ends', 'second begins', 'second ends', 'record of r'])
  await done
})

it('in an asynchronous invocation it ends within it, and nothing is held: Lambda holds the event', async () => {
  const { told, start } = world({ holds: 'kept' })
  await start({ mode: 'send' }).reply
  expect(told).toEqual(['first ends', 'second begins', 'second ends', 'record of r'])
})

it('a caller hears when what is left cannot be held, and then it does not run', async () => {
  const { told, start } = world({ holds: 'refused' })
  const { reply, done } = start()
  expect(await reply).toMatchObject({ ok: false, error: { message: 'the table is full' } })
  await done
  expect(told).not.toContain('second begins')
})

it.each(['kept', undefined] as const)('a failed send is handed on before it is let go (%s)', async (holds) => {
  const second = () => Promise.reject(new Error('no'))
  const { told, start } = world({ ...(holds && { holds }), second })
  const { reply, done } = start()
  expect(await reply).toMatchObject({ ok: true })
  await done
  const again = told.indexOf('second again after no')
  expect(again).toBeGreaterThan(0)
  if (holds) expect(told.indexOf('let go name')).toBeGreaterThan(again)
})

it('a task that takes too long is answered for before Lambda ends it, and the next is none the wiser', async () => {
  const never = gate()
  const { start } = world({ first: () => never.opened })
  const { reply } = start({}, 250)
  expect(await reply).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } })
  never.open()
})
