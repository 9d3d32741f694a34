import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { DeleteEventSourceMappingCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { names as awsNames, readDeployed } from '@fusionize/aws'
import { encodeDelivery } from 'fusionize/buckets'
import { parseRecord } from 'fusionize/record'
import { encode } from 'fusionize/runtime'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AwsBed, startAwsBed } from '../packages/aws/test/support/platform.js'
import { bucketCases } from './support/bucket-cases.js'
import { firingsIn } from './support/buckets-app.js'
import { outputOf } from './support/local.js'
import { Notes } from './support/notes.js'
import type { Step } from './support/programs.js'

const fixture = fileURLToPath(new URL('fixtures/buckets-app', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'aws-buckets-'))
const path = (name: string) => join(folder, name)

describe('buckets on AWS', () => {
  const notes = new Notes(path('notes'))
  let bed: AwsBed
  beforeAll(async () => {
    bed = await startAwsBed(fixture, 'buckets-app', { sweepMs: 1000 })
    await deploy(256)
  }, 300_000)
  afterEach(() => notes.clear())
  afterAll(async () => {
    await bed?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function deploy(memoryMb: number): Promise<string> {
    const { builder, platform } = bed
    const setup = remoteSetup(await builder.scan(), memoryMb)
    return (await platform.deploy(await builder.build(setup, { NOTES: notes.file }))).setup
  }

  async function drive(steps: Step[], platform = bed.platform): Promise<unknown[]> {
    return outputOf(await platform.invoke('drive', encode({ name: 'steps', steps }))) as unknown[]
  }

  async function firings(): Promise<string[]> {
    await bed.platform.drained()
    return firingsIn(notes)
  }

  for (const { name, run } of bucketCases) it(name, () => run({ platform: bed.platform, drive, firings }))

  it('and retries of tasks are told by what is deployed', async () => {
    const app = await bed.builder.scan()
    const { buckets, retries } = await readDeployed(new LambdaClient(bed.aws.client), awsNames.prefixOf('buckets-app'))
    expect(buckets).toEqual(Object.keys(app.buckets ?? {}).sort())
    expect(Object.fromEntries(retries)).toEqual({ burn: 0, mortal: 0, weigh: 0 })
  })

  it('are known to a platform that did not deploy them: it waits for what they start', async () => {
    const elsewhere = bed.open()
    try {
      await drive([{ put: 'burns', key: 'fire', value: path('fire') }], elsewhere)
      const functions = Object.keys((await bed.builder.scan()).tasks).length
      let queries = 0
      // Once it has looked at the list of each function twice, it waits.
      bed.aws.faults.watch(({ operation, principal }) => {
        if (principal.kind !== 'role' && operation === 'Query' && ++queries === 2 * functions)
          writeFileSync(path('fire'), '')
      })
      await elsewhere.drained()
      expect(firingsIn(notes)).toEqual(['burn fire'])
    } finally {
      bed.aws.faults.clear()
      await elsewhere.destroy()
    }
  })

  async function lettersOf(task: string): Promise<string[]> {
    const letters = await bed.platform.deadLetters()
    return letters.flatMap((letter) => (letter.task === task ? letter.id : []))
  }

  it('have a task run again that dies before it puts what it promised', async () => {
    await drive([
      { risk: [{ die: path('dead') }, { put: 'each', key: 'k', value: 'v' }] },
      { promise: 'each', key: 'k', withinMs: 1000 },
    ])
    expect(await firings()).toEqual(['key k v', 'one k'])
    // Lambda gave it up, which the promise did not.
    expect(await lettersOf('mortal')).toHaveLength(1)
  })

  it('bury what never keeps its promise, and its own function runs it again', async () => {
    await drive([{ risk: [] }, { promise: 'each', key: 'never', withinMs: 10, attempts: 1 }])
    await bed.platform.drained()
    expect(await lettersOf('mortal')).toHaveLength(2)
    expect(await bed.platform.replay()).toBe(2)
    await bed.platform.drained()
    expect(await bed.platform.deadLetters()).toEqual([])
  })

  it('run a firing again that failed for good, with its objects in S3, after its session', async () => {
    await drive([{ put: 'crates', key: 'c', value: `${path('scales')}\n${'x'.repeat(10_000)}` }])
    expect(await firings()).toEqual([])
    const letters = await lettersOf('weigh')
    expect(letters).toHaveLength(1)
    writeFileSync(path('scales'), '')
    expect(await bed.platform.replay(letters)).toBe(1)
    expect(await firings()).toEqual(['weigh c'])
    expect(await lettersOf('weigh')).toEqual([])
  })

  it('do nothing again, and refuse nothing, when the environment that has ended a session is killed before Lambda knows', async () => {
    const { faults, lambda } = bed.aws
    const killed: string[] = []
    // What follows the end: nobody need look after the session any more.
    faults.watch(async ({ body, operation, principal }) => {
      if (killed.length > 0 || principal.kind !== 'role' || operation !== 'DeleteItem' || !body.includes('watch#'))
        return
      killed.push(principal.role)
      await lambda.killEnvironments(principal.role)
      throw new Error('its environment was killed')
    })
    try {
      await bed.platform.send('drive', encode({ name: 'steps', steps: [{ put: 'each', key: 'k', value: 'v' }] }))
      expect(await firings()).toEqual(['key k v', 'one k'])
      expect(killed).toHaveLength(1)
      expect(notes.all()).toHaveLength(3)
      expect(await bed.platform.deadLetters()).toEqual([])
    } finally {
      faults.clear()
    }
  })

  it('end a window in the setup that serves when its time has come', async () => {
    const lambda = new LambdaClient(bed.aws.client)
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}))
    // Nobody hears the time until the next deployment has made another.
    for (const { UUID } of EventSourceMappings) await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    await drive([{ put: 'clicks', key: 'a', value: '' }])
    const setup = await deploy(512)
    await notes.until((all) => all.some(({ task }) => task === 'window'))
    expect(await firings()).toEqual(['window a'])
    const { lines } = await bed.platform.records()
    const windows = lines.map(parseRecord).filter(({ fired }) => fired?.bucket === 'clicks')
    expect(windows.map((record) => record.setup)).toEqual([setup])
  })

  it('have the sweep hand over what a setup has fired that is there no more, or bury it', async () => {
    const sends = ['window', 'forgotten'].map((task) => {
      const fired = { bucket: 'letters', trigger: 0, id: `${task}-0`, objects: 1, bytes: 2 }
      const head = { fired, at: Date.now(), one: false, keys: false }
      const text = encodeDelivery(head, [{ key: task, session: 'gone' }], ['{}'])
      const about = { id: fired.id, session: fired.id, function: task, task, input: { text } }
      return { ...about, trace: '0'.repeat(32), parent: '', setup: 'gone-01234567' }
    })
    await new DynamoDBClient(bed.aws.client).send(
      new UpdateItemCommand({
        TableName: awsNames.tableName(awsNames.prefixOf('buckets-app')),
        Key: { pk: { S: 'bucket#letters' }, sk: { S: 'state' } },
        UpdateExpression: 'SET #outbox = :outbox',
        ExpressionAttributeNames: { '#outbox': 'f:gone' },
        ExpressionAttributeValues: { ':outbox': { S: JSON.stringify({ at: Date.now() - 60_000, sends }) } },
      }),
    )
    const [schedule = ''] = bed.aws.scheduler.schedules.keys()
    bed.aws.scheduler.fire(schedule)
    await notes.until((all) => all.some(({ task }) => task === 'window'))
    expect(await firings()).toEqual(['window window'])
    expect(await lettersOf('forgotten')).toEqual(['forgotten-0'])
  })
})
