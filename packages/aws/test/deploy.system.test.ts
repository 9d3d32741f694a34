import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CreateRoleCommand } from '@aws-sdk/client-iam'
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  InvokeCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Build } from '@fusionize/platform'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Clients, closeClients, createClients } from '../src/deploy/clients.js'
import { type Deployment, type DeployRun, deploySetup, prepareDeployment } from '../src/deploy/deploy-setup.js'
import { destroyApp, planDestruction } from '../src/deploy/destroy.js'
import { shiftTraffic } from '../src/deploy/traffic.js'
import { readDeployed } from '../src/deployed.js'
import { bucketName, functionName, liveAlias, setupAlias } from '../src/names.js'
import { type Aws, startAws } from './double/index.js'
import { builderOf, setupsOf } from './support/builds.ts'
import { handlerZip } from './support/zip.js'

const pace = { pollMs: 5, settleMs: 0, patienceMs: 10_000 }
const prefix = 'fusionize-iot'

let aws: Aws
let clients: Clients
let builder: ReturnType<typeof builderOf>
let remote: Build
let mixed: Build
let fused: Build

beforeAll(async () => {
  aws = await startAws({ settleMs: 5 })
  const { endpoint, region, credentials } = aws.client
  clients = createClients(region, { endpoint, credentials, maxAttempts: 3 })
  builder = builderOf('iot')
  const setups = setupsOf(await builder.scan())
  remote = await builder.build(setups.remote)
  mixed = await builder.build(setups.mixed)
  fused = await builder.build(setups.fused)
}, 300_000)

afterEach(() => aws.faults.clear())

afterAll(async () => {
  if (clients) closeClients(clients)
  await builder?.close()
  await aws?.close()
})

const options = () => ({ account: aws.account, region: aws.region })
const deploy = (build: Build, run: DeployRun = {}) => deploySetup(build, options(), clients, { pace, ...run })
const stepsFor = async (build: Build) => (await prepareDeployment(build, options(), clients)).plan.steps

async function invoke(fn: string, qualifier = liveAlias): Promise<unknown> {
  const FunctionName = functionName(prefix, fn)
  const answer = await clients.lambda.send(new InvokeCommand({ FunctionName, Qualifier: qualifier, Payload: '{}' }))
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString())
}

/** The deployed setups that `live` of every function of a build leads to. */
async function serving(build: Build): Promise<string[]> {
  const found = await Promise.all(
    Object.keys(build.artifacts).map(async (fn) => {
      const { Environment } = await clients.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: functionName(prefix, fn), Qualifier: liveAlias }),
      )
      return (JSON.parse(Environment?.Variables?.FUSIONIZE ?? '{}') as { deployed: string }).deployed
    }),
  )
  return [...new Set(found)]
}

/** The same build with other code in one function. */
function edited(build: Build, fn: string, words: string): Build {
  const artifact = build.artifacts[fn]
  if (!artifact) throw new Error(`no ${fn}`)
  const dir = `${dirname(artifact.file)}-${words}`
  cpSync(dirname(artifact.file), dir, { recursive: true })
  const file = join(dir, 'index.mjs')
  writeFileSync(file, `// ${words}\n`, { flag: 'a' })
  return { ...build, artifacts: { ...build.artifacts, [fn]: { ...artifact, file } } }
}

describe('deploying', () => {
  let first: Deployment

  it('makes everything, and what it made runs', async () => {
    first = await deploy(remote)
    expect(first.changed).toEqual(Object.keys(remote.artifacts).sort())
    expect(await invoke('analyze-sensor')).toEqual({ function: 'analyze-sensor', tasks: 1 })
    expect(await serving(remote)).toEqual([first.deployed])
    const { functions } = await readDeployed(clients.lambda, prefix)
    expect([...functions.keys()].sort()).toEqual(Object.keys(remote.artifacts).sort())
  })

  it('changes nothing the second time, and asks nobody to', async () => {
    expect(await stepsFor(remote)).toEqual([])
    const before = aws.calls.length
    await deploy(remote)
    const changes = aws.calls
      .slice(before)
      .filter(({ operation }) => /^(Create|Put|Update|Delete|Publish|Add)/.test(operation))
    expect(changes).toEqual([])
  })

  it('uploads the one function that changed, and the setup before serves its sessions on', async () => {
    const before = aws.calls.length
    const second = await deploy(edited(remote, 'check-air', 'second'))
    const uploads = aws.calls.slice(before).filter(({ operation }) => operation === 'UpdateFunctionCode')
    expect(uploads).toHaveLength(1)
    expect(second.setup).toBe(first.setup)
    expect(await serving(remote)).toEqual([second.deployed])
    expect(await invoke('check-air', setupAlias(first.deployed))).toMatchObject({ function: 'check-air' })
  })

  it('serves by the old setup where it stops between upload and switch; the next run heals', async () => {
    const [old] = await serving(remote)
    aws.faults.next('lambda:UpdateAlias', 1000, { kind: 'error' })
    await expect(deploy(mixed)).rejects.toThrow(
      /^alias fusionize-iot-.*: set-alias failed: .*AWS had an error of its own \(status 500\); run the same command again/,
    )
    aws.faults.clear()
    expect(await serving(remote)).toEqual([old])
    expect(await invoke('analyze-sensor')).toMatchObject({ tasks: 1 })
    const { deployed, plan } = await deploy(mixed)
    expect(plan.steps.map(({ operation }) => operation.do)).not.toContain('upload-code')
    expect(await serving(mixed)).toEqual([deployed])
    expect(await stepsFor(mixed)).toEqual([])
  })

  it.each([0.2, 0.5, 0.8])('heals after a crash at %f of its steps', async (share) => {
    const build = edited(mixed, 'check-sensor', `crash-${share}`)
    const steps = await stepsFor(build)
    let count = 0
    const onStep = () => {
      if (++count > 2 * share * steps.length) throw new Error('crash')
    }
    await expect(deploy(build, { onStep })).rejects.toThrow('crash')
    const { deployed } = await deploy(build)
    expect(await serving(build)).toEqual([deployed])
    expect(await stepsFor(build)).toEqual([])
  })

  it('goes back by the switch alone', async () => {
    const before = aws.calls.length
    const { deployed } = await deploy(mixed)
    expect(await serving(mixed)).toEqual([deployed])
    const operations = new Set(aws.calls.slice(before).map(({ operation }) => operation))
    expect(operations).not.toContain('PublishVersion')
    expect(operations).not.toContain('UpdateFunctionCode')
  })

  it('shares new sessions between two setups, and says that three are too many', async () => {
    const [now] = await serving(mixed)
    const share = async () => {
      const FunctionName = functionName(prefix, 'analyze-sensor')
      const { RoutingConfig } = await clients.lambda.send(new GetAliasCommand({ FunctionName, Name: liveAlias }))
      return Object.values(RoutingConfig?.AdditionalVersionWeights ?? {})
    }
    await shiftTraffic(prefix, { [String(now)]: 3, [first.deployed]: 1 }, clients)
    expect(await share()).toEqual([0.25])
    await shiftTraffic(prefix, { [first.deployed]: 1 }, clients)
    expect(await share()).toEqual([])
    expect(await serving(mixed)).toEqual([first.deployed])
    const weights = { [first.deployed]: 1, [String(now)]: 1, third: 1 }
    await expect(shiftTraffic(prefix, weights, clients)).rejects.toThrow(/not between 3 setups; give weights to two/)
    await expect(shiftTraffic(prefix, { nowhere: 1 }, clients)).rejects.toThrow(
      /'nowhere' is not deployed; deployed are .*deploy it first/,
    )
  })
})

describe('entries', () => {
  const deployAs = (functionUrlAuth: 'AWS_IAM' | 'NONE', streaming = false) =>
    deploySetup(fused, { ...options(), functionUrlAuth, streaming }, clients, { pace })
  const ask = async ({ urls }: Deployment) =>
    (await fetch(new URL('/readings', urls['analyze-sensor']), { method: 'POST', body: '{}' })).status

  it('are for signed requests, unless the configuration opens them to everybody; and close again', async () => {
    expect(await ask(await deployAs('AWS_IAM'))).toBe(403)
    expect(await ask(await deployAs('NONE'))).toBe(200)
    const { plan } = await prepareDeployment(fused, { ...options(), functionUrlAuth: 'NONE' }, clients)
    expect(plan.steps).toEqual([])
    expect(plan.warnings).toEqual([expect.stringMatching(/whoever knows the address/)])
    expect(await ask(await deployAs('AWS_IAM'))).toBe(403)
  })

  it('stream what they answer where the configuration says so, and stop again', async () => {
    const modeOf = async () => {
      const FunctionName = functionName(prefix, 'analyze-sensor')
      const command = new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: liveAlias })
      return (await clients.lambda.send(command)).InvokeMode
    }
    for (const [streaming, mode] of [
      [true, 'RESPONSE_STREAM'],
      [false, 'BUFFERED'],
    ] as const) {
      const { plan } = await prepareDeployment(fused, { ...options(), streaming }, clients)
      expect(plan.warnings).toEqual([expect.stringMatching(/aws\.streaming changes for .*analyze-sensor.*garbled/)])
      await deployAs('AWS_IAM', streaming)
      expect(await modeOf()).toBe(mode)
      const again = await prepareDeployment(fused, { ...options(), streaming }, clients)
      expect([again.plan.steps, again.plan.warnings]).toEqual([[], []])
    }
  })

  it('are asked for what replies left behind, by a schedule that may do that and nothing else', async () => {
    const [name] = [...aws.scheduler.schedules.keys()]
    aws.scheduler.fire(String(name))
    await aws.lambda.drained()
    expect(aws.scheduler.problems).toEqual([])
    expect(aws.calls.filter(({ error }) => error === 'AccessDeniedException')).toEqual([])
  })
})

describe('setups that were replaced', () => {
  it('go when they can have no sessions any more, with all that only they had; the last two stay', async () => {
    const soon = { ...options(), keepMs: 0 }
    const before = (await aws.resources()).filter((arn) => arn.includes(':setup-'))
    await deploySetup(remote, soon, clients, { pace })
    const { deployed } = await deploySetup(fused, soon, clients, { pace })
    await deploySetup(fused, soon, clients, { pace })
    expect((await prepareDeployment(fused, soon, clients)).plan.steps).toEqual([])
    const resources = await aws.resources()
    const aliases = resources.filter((arn) => arn.includes(':setup-'))
    expect(new Set(aliases.map((arn) => arn.split(':setup-')[1])).size).toBe(2)
    expect(aliases.length).toBeLessThan(before.length)
    expect(resources.filter((arn) => /:function:[^:]+:\d+$/.test(arn))).toHaveLength(aliases.length)
    expect([...aws.scheduler.schedules.values()].map(({ Target }) => Target.Arn)).toEqual([
      expect.stringMatching(new RegExp(`:fusionize-iot-analyze-sensor:setup-${deployed}$`)),
    ])
    const { policies } = aws.iam.roles.get('fusionize-iot-analyze-sensor') ?? {}
    expect([...(policies?.keys() ?? [])].sort()).toEqual(['base', 'setups'])
    // The setup before calls others, this one leaves work behind.
    expect(policies?.get('setups')).toMatch(/"Calls".*"Held"/)
    expect(await invoke('analyze-sensor')).toMatchObject({ tasks: 10 })
  })
})

describe('an app with buckets', () => {
  it('has its times come to a function, and nothing is left of it either', async () => {
    const events = builderOf('ad-events')
    try {
      const build = await events.build(setupsOf(await events.scan()).remote)
      const { deployed } = await deploy(build)
      expect(deployed).toMatch(/^[0-9a-f]{12}-[0-9a-f]{8}$/)
      expect(await stepsFor(build)).toEqual([])
      const { EventSourceMappings } = await clients.lambda.send(new ListEventSourceMappingsCommand({}))
      expect(EventSourceMappings).toMatchObject([
        { FunctionArn: expect.stringMatching(/:fusionize-ad-events-ingest:live$/), State: 'Enabled' },
      ])

      // Somebody switched it off, and gave another function the times, which a page of the list has no room for.
      const [{ EventSourceArn, UUID } = {}] = EventSourceMappings ?? []
      await clients.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))
      const FunctionName = 'fusionize-ad-events-ingest'
      await clients.lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn }))
      aws.lambda.pageSize = 1
      expect((await stepsFor(build)).map(({ words }) => words).sort()).toEqual([
        expect.stringMatching(/^no times come to .*:fusionize-ad-events-ingest any more$/),
        expect.stringMatching(/^somebody switched it off: times come to .*:live again$/),
      ])
      await deploy(build)
      expect(await stepsFor(build)).toEqual([])
      aws.lambda.pageSize = 50
      await destroyApp('ad-events', options(), clients, { pace })
      expect((await aws.resources()).filter((arn) => arn.includes('ad-events'))).toEqual([])
      expect((await clients.lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings).toEqual([])
    } finally {
      await events.close()
    }
  })
})

describe('failures', () => {
  /** Of its own: who was refused too many requests goes slowly for a while. */
  let clients: Clients
  const newClients = () => createClients(aws.region, { ...aws.client, maxAttempts: 2 })
  beforeEach(() => {
    clients = newClients()
  })
  afterEach(() => closeClients(clients))
  const deploy = (build: Build) => deploySetup(build, options(), clients, { pace })
  const stepsFor = async (build: Build) => (await prepareDeployment(build, options(), clients)).plan.steps

  it('are got over where AWS has too many requests, or breaks for a moment', async () => {
    aws.faults.next('lambda:PublishVersion', 1, { kind: 'throttle' })
    aws.faults.next('iam:PutRolePolicy', 1, { kind: 'error' })
    aws.faults.next('lambda:CreateAlias', 1, { kind: 'disconnect', when: 'after' })
    const { deployed } = await deploy(fused)
    expect(await serving(fused)).toEqual([deployed])
  })

  it('say what to do when that lasts', async () => {
    aws.faults.next('lambda:GetAccountSettings', 1000, { kind: 'throttle' })
    await expect(stepsFor(fused)).rejects.toThrow(/GetAccountSettings failed: .*too many requests.*wait a minute/)
  })

  it('say that credentials have expired', async () => {
    aws.expire()
    try {
      await expect(stepsFor(fused)).rejects.toMatchObject({
        code: 'DEPLOY_FAILED',
        message: expect.stringMatching(/credentials have expired; sign in again .* run the same command again/),
      })
    } finally {
      aws.expire(undefined, false)
    }
  })

  it('make a function anew that somebody deleted', async () => {
    const FunctionName = functionName(prefix, 'analyze-sensor')
    await clients.lambda.send(new DeleteFunctionCommand({ FunctionName }))
    await deploy(fused)
    expect(await invoke('analyze-sensor')).toMatchObject({ function: 'analyze-sensor' })
  })
})

describe('destroying', () => {
  it('leaves nothing, but does not touch what lacks the tag', async () => {
    await makeStranger()
    const Bucket = bucketName(prefix, aws.account, aws.region)
    for (const Key of ['payloads/1', 'objects/2'])
      await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const planned = await planDestruction('iot', options(), clients)
    const { left, removed } = await destroyApp('iot', options(), clients, { pace })
    expect(removed.sort()).toEqual(planned.removed.sort())
    expect(left.sort()).toEqual(['function fusionize-iot-stranger', 'role fusionize-iot-stranger'])
    expect(await aws.resources()).toEqual([
      expect.stringMatching(/:role\/fusionize-iot-stranger$/),
      expect.stringMatching(/:function:fusionize-iot-stranger$/),
    ])
    expect(await destroyApp('iot', options(), clients, { pace })).toEqual({ removed: [], left })
  })

  it('leaves a place where it can be deployed again', async () => {
    const { deployed } = await deploy(remote)
    expect(await serving(remote)).toEqual([deployed])
  })
})

/** A function that only has a name like ours. */
async function makeStranger(): Promise<void> {
  const name = 'fusionize-iot-stranger'
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  })
  const { Role } = await clients.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }))
  await clients.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: Role?.Arn,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Code: { ZipFile: handlerZip('export const handler = async () => 1') },
    }),
  )
}
