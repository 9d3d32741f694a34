import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { names } from '@fusionize/aws'
import { parseRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { AwsError } from './double/gateway/error.js'
import { type EntriesApp, startEntriesApp } from './support/entries-app.js'

let app: EntriesApp
let position: string | undefined
beforeAll(async () => {
  app = await startEntriesApp()
}, 300_000)
beforeEach(() => app.aws.faults.clear())
afterAll(() => app?.stop())

const prefix = names.prefixOf('entries')
const logOf = (fn: string) => app.aws.logs.messages(names.logGroup(prefix, fn))
const starts = (fn: string) => logOf(fn).filter((line) => line.startsWith('INIT_START')).length
const open = (gate: string) => writeFileSync(join(app.notes, gate), '')

async function request(query: string): Promise<unknown> {
  const answer = await fetch(`${await app.url('front')}front?${query}`)
  return answer.json()
}

/** What the records since the last time say of start-ups, by task. */
async function kinds() {
  await app.platform.drained()
  const { lines, next } = await app.platform.records(position)
  position = next
  return lines
    .map((line) => parseRecord(line))
    .map(({ task, cold, coldKind }) => [task, cold === null ? 'warm' : coldKind])
}

test('prewarm: what a request will come to starts while it is under way, and that is no invocation', async () => {
  await app.deploy(({ functions: { middle } }) => Object.assign(middle ?? {}, { prewarm: { last: 0 } }), remoteSetup)
  const answer = request('gate=first')
  await vi.waitFor(() => expect(logOf('last').join('')).toMatch(/INIT_START[\s\S]*REPORT/), { timeout: 15_000 })
  expect(starts('middle')).toBe(0)
  open('first')
  expect(await answer).toBe(2)
  expect((await kinds()).sort()).toEqual([
    ['front', 'natural'],
    ['last', 'prewarmed'],
    ['middle', 'natural'],
  ])
  expect(starts('last')).toBe(1)
  expect(app.aws.calls.filter(({ error }) => error === 'AccessDeniedException')).toEqual([])
  expect(await app.platform.deadLetters()).toEqual([])
})

test('prewarm: neither fails a request nor outlives it', async () => {
  const afterMs = 300
  await app.deploy(
    ({ functions: { front } }) => Object.assign(front ?? {}, { prewarm: { last: afterMs } }),
    remoteSetup,
  )
  const asked: number[] = []
  app.aws.faults.watch(({ operation, body }) => {
    if (operation !== 'Invoke' || !body.includes('warm')) return
    asked.push(Date.now())
    throw new AwsError('AccessDeniedException', 403, 'not today')
  })
  open('second')
  // Until one was over sooner: what is cold takes longer.
  do {
    asked.length = 0
    expect(await request('gate=second')).toBe(2)
  } while (asked.length > 0)
  // A start that was still to come then would come as soon as the environment is awake again.
  const began = Date.now()
  const held = request('gate=third')
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  expect((asked[0] ?? 0) - began).toBeGreaterThanOrEqual(afterMs)
  open('third')
  expect(await held).toBe(2)
  await app.platform.drained()
  expect(logOf('front').join('')).toMatch(/may not be called from here: not today/)
})

test('passing by the store: a payload goes through S3 whatever its size, and only that one', async () => {
  const objects = () =>
    app.aws.calls.filter(({ service, operation }) => service === 's3' && /^(Put|Get)Object$/.test(operation))
  for (const [how, operations] of [
    ['store', ['PutObject', 'GetObject']],
    ['direct', []],
  ] as const) {
    await app.deploy(
      ({ functions: { front } }) => Object.assign(front ?? {}, { passing: { middle: how } }),
      remoteSetup,
    )
    open('fourth')
    const before = objects().length
    expect(await request('gate=fourth&size=7')).toBe(8)
    expect(
      objects()
        .slice(before)
        .map(({ operation }) => operation),
    ).toEqual(operations)
  }
})

test('an event that asks for no run is no dead letter', async () => {
  const sqs = new SQSClient(app.aws.client)
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.deadLetterQueue(prefix) }))
  const letter = (requestPayload: unknown) => ({
    timestamp: new Date().toISOString(),
    requestContext: { requestId: 'r', functionArn: 'arn:aws:lambda:r:1:function:f', approximateInvokeCount: 3 },
    requestPayload,
  })
  for (const payload of [{ fusionize: 'warm' }, { fusionize: 'sweep' }, { some: 'input' }])
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(letter(payload)) }))
  expect((await app.platform.deadLetters()).map(({ input }) => input)).toEqual(['{"some":"input"}'])
})
