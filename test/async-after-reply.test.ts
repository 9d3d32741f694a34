import { setTimeout as pause } from 'node:timers/promises'
import { type InvocationRecord, parseRecord, type Span } from 'fusionize/record'
import { encode } from 'fusionize/runtime'
import { type App, type FusionSetup, setupId } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iot } from './support/examples.js'
import { localBuilder, outputOf, startLocal, temporaryFolder } from './support/local.js'
import { callsIn } from './support/records.js'
import { onlyInline, onlyRemote, plannedSetups } from './support/setups.js'

const builder = localBuilder(iot.appDir, iot.name)
let app: App

beforeAll(async () => {
  app = await builder.scan()
})

describe.each(['threads', 'processes'] as const)('on iot with sandboxes as %s', (isolation) => {
  let local: Awaited<ReturnType<typeof startLocal>>
  let store: Awaited<ReturnType<typeof temporaryFolder>>

  beforeAll(async () => {
    store = await temporaryFolder()
    local = await startLocal(iot.name, { isolation, durability: 'journal', maxSandboxes: 24 })
  })
  afterAll(async () => {
    await local.stop()
    await store.remove()
  })

  test('two requests 5 ms apart are answered before their async work, each async edge alone inline, alone remote, all inline and all remote', async () => {
    const routes = new Set<string>()
    for (const setup of setupsOfAsyncEdges(app, 1769)) {
      const records = await twoRequests(setup)
      for (const call of callsIn(records)) if (call.mode === 'send') routes.add(`${call.from} ${call.to} ${call.route}`)
      for (const record of records) {
        expect(record.setup).toBe(setupId(setup))
        expectRepliesBeforeAsyncWork(record)
      }
    }
    const sends = app.edges.filter(({ modes }) => modes.includes('send'))
    expect([...routes].sort()).toEqual(
      sends.flatMap(({ from, to }) => [`${from} ${to} inline`, `${from} ${to} remote`]).sort(),
    )
  })

  async function twoRequests(setup: FusionSetup): Promise<InvocationRecord[]> {
    const { platform } = local
    await platform.deploy(await builder.build(setup, iot.env(store.path)))
    const { next } = await platform.records()
    const ask = async (at: number) => outputOf(await platform.invoke('analyze-sensor', encode({ sensor: 's-7', at })))
    const first = ask(1)
    await pause(5)
    await Promise.all([first, ask(2)])
    await platform.drained()
    const records = (await platform.records(next)).lines.map(parseRecord)
    expect(records.filter((record) => record.task === 'analyze-sensor')).toHaveLength(2)
    return records
  }
})

/** Times are those of one record, so one clock: nothing here depends on how fast the machine is. */
function expectRepliesBeforeAsyncWork(record: InvocationRecord): void {
  const { spans, reply, wall } = record
  // What was sent here begins after the task that sent it has ended, and after the reply; so does all it calls.
  for (const span of spans) {
    const parent = spans[span.parent]
    if (parent === undefined) expect(span.end).toBeLessThanOrEqual(reply)
    else if (span.mode === 'send' && span.route === 'inline') {
      expect(span.start).toBeGreaterThanOrEqual(reply)
      expect(span.start).toBeGreaterThanOrEqual(parent.end)
    } else if (!afterReply(spans, span)) {
      // A remote send: its caller waited for no more than the hand-over, which is over before the reply.
      expect(span.end).toBeLessThanOrEqual(reply)
    }
  }
  // It is billed all the same.
  const last = Math.max(...spans.map((span) => span.end))
  expect(wall).toBeGreaterThanOrEqual(last)
  if (spans.some((span) => span.mode === 'send' && span.route === 'inline' && span.parent >= 0))
    expect(wall).toBeGreaterThan(reply)
}

/** Whether the span is an inline send, or part of one. */
function afterReply(spans: readonly Span[], span: Span): boolean {
  const parent = spans[span.parent]
  if (parent === undefined) return false
  return (span.mode === 'send' && span.route === 'inline') || afterReply(spans, parent)
}

function setupsOfAsyncEdges(app: App, memoryMb: number): FusionSetup[] {
  const sends = app.edges.filter(({ modes }) => modes.includes('send'))
  return [
    ...plannedSetups(app, memoryMb).slice(0, 2),
    ...sends.flatMap((edge) => [onlyInline(app, memoryMb, edge, 'send'), onlyRemote(app, memoryMb, edge, 'send')]),
  ]
}
