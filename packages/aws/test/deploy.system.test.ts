import { GetFunctionConfigurationCommand, InvokeCommand } from '@aws-sdk/client-lambda'
import type { Build } from '@fusionize/platform'
import type { App } from 'fusionize/setup'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Clients, closeClients, createClients } from '../src/deploy/clients.js'
import { type Deployment, deploySetup, prepareDeployment } from '../src/deploy/deploy-setup.js'
import { functionName, liveAlias, setupAlias } from '../src/names.js'
import { type Aws, startAws } from './double/index.js'
import { builderOf, setupsOf } from './support/builds.ts'

const pace = { pollMs: 10, settleMs: 0, patienceMs: 10_000 }
const prefix = 'fusionize-iot'

let aws: Aws
let clients: Clients
let builder: ReturnType<typeof builderOf>
let app: App
let remote: Build
let mixed: Build

beforeAll(async () => {
  aws = await startAws()
  const { endpoint, region, credentials } = aws.client
  clients = createClients(region, { endpoint, credentials, maxAttempts: 3 })
  builder = builderOf('iot')
  app = await builder.scan()
  const setups = setupsOf(app)
  remote = await builder.build(setups.remote)
  mixed = await builder.build(setups.mixed)
}, 300_000)

afterEach(() => aws.faults.clear())

afterAll(async () => {
  if (clients) closeClients(clients)
  await builder?.close()
  await aws?.close()
})

const options = () => ({ account: aws.account, region: aws.region })
const deploy = (build: Build) => deploySetup(build, options(), clients, { pace })

async function invoke(fn: string, qualifier = liveAlias): Promise<{ payload: unknown; version: string | undefined }> {
  const FunctionName = functionName(prefix, fn)
  const answer = await clients.lambda.send(new InvokeCommand({ FunctionName, Qualifier: qualifier, Payload: '{}' }))
  return { payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()), version: answer.ExecutedVersion }
}

/** The deployed setup that new sessions take. */
async function serving(fn = 'analyze-sensor'): Promise<string> {
  const { Environment } = await clients.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName(prefix, fn), Qualifier: liveAlias }),
  )
  return (JSON.parse(Environment?.Variables?.FUSIONIZE ?? '{}') as { setup: string }).setup
}

describe('deploying', () => {
  let first: Deployment

  it('makes everything, and what it made runs', async () => {
    first = await deploy(remote)
    expect(first.changed).toEqual(Object.keys(remote.artifacts).sort())
    expect(await invoke('analyze-sensor')).toMatchObject({ payload: { function: 'analyze-sensor', tasks: 1 } })
    expect(await serving()).toBe(first.deployed)
  })

  it('changes nothing the second time', async () => {
    const { plan } = await prepareDeployment(remote, options(), clients)
    expect(plan.steps).toEqual([])
  })

  it('keeps the setup before for its sessions', async () => {
    const second = await deploy(mixed)
    expect(await serving()).toBe(second.deployed)
    expect((await invoke('analyze-sensor')).payload).not.toMatchObject({ tasks: 1 })
    expect((await invoke('analyze-sensor', setupAlias(first.deployed))).payload).toMatchObject({ tasks: 1 })
    const { plan } = await prepareDeployment(mixed, options(), clients)
    expect(plan.steps).toEqual([])
  })
})
