import { CreateAliasCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy } from './support/deploy.js'
import { handlerZip } from './support/zip.js'

let aws: Aws
let deploy: Deploy
beforeAll(async () => {
  aws = await startAws()
  deploy = new Deploy(aws)
}, 300_000)
afterAll(() => aws?.close())

test('a zip runs under the real runtime client and answers a synchronous invocation', async () => {
  await deploy.fn('sync', 'export const handler = async (event, context) => ({ event, name: context.functionName })')
  const answer = await deploy.invoke('sync', { a: [1, 'ü'] }, { LogType: 'Tail' })
  expect(answer).toMatchObject({ status: 200, version: '$LATEST', payload: { event: { a: [1, 'ü'] }, name: 'sync' } })
  expect(answer.log).toMatch(/^START RequestId: .*\nEND RequestId: .*\nREPORT .*Init Duration/s)
})

test('an asynchronous invocation is accepted at once and runs', async () => {
  await deploy.fn('async', 'export const handler = async (event) => { console.log("got " + event.n) }')
  expect(await deploy.invoke('async', { n: 7 }, { InvocationType: 'Event' })).toMatchObject({ status: 202 })
  await aws.lambda.drained()
  expect(deploy.logsOf('async')).toMatch(/got 7/)
})

test('a version stays what it was and an alias leads to it', async () => {
  await deploy.fn('versions', 'export const handler = async () => "one"')
  const version = await deploy.publish('versions')
  await deploy.lambda.send(new CreateAliasCommand({ FunctionName: 'versions', Name: 'live', FunctionVersion: version }))
  await deploy.lambda.send(
    new UpdateFunctionCodeCommand({
      FunctionName: 'versions',
      ZipFile: handlerZip('export const handler = async () => "two"'),
    }),
  )
  await deploy.updated('versions')
  expect(await deploy.invoke('versions')).toMatchObject({ payload: 'two', version: '$LATEST' })
  expect(await deploy.invoke('versions', {}, { Qualifier: 'live' })).toMatchObject({ payload: 'one', version: '1' })
})
