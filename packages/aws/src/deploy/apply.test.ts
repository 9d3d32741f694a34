import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { applyPlan } from './apply.js'
import type { Clients } from './clients.js'
import { desiredResources } from './desired.js'
import { type FunctionResource, ofKind } from './resources.js'
import type { Operation, Phase, Plan } from './steps.js'

const build = buildOf(appOf([], { a: {} }))
const desired = desiredResources(build, codeOf(build), where)
const [fn] = ofKind(desired, 'function') as [FunctionResource]

interface Sent {
  operation: string
  input: Record<string, unknown>
}

/** Clients that write down what they are asked and answer as they are told: only for the order of things, AWS is the double's. */
function clientsOf(answer: (sent: Sent) => unknown): { clients: Clients; sent: Sent[] } {
  const sent: Sent[] = []
  const client = {
    async send(command: { constructor: { name: string }; input: Record<string, unknown> }) {
      const one = { operation: command.constructor.name.replace(/Command$/, ''), input: command.input }
      sent.push(one)
      return answer(one) ?? {}
    },
  }
  const names = ['lambda', 'iam', 's3', 'dynamodb', 'sqs', 'logs', 'scheduler', 'sts']
  return { clients: Object.fromEntries(names.map((name) => [name, client])) as unknown as Clients, sent }
}

const planOf = (...operations: [Phase, Operation][]): Plan => ({
  setup: desired.setup,
  deployed: desired.deployed,
  steps: operations.map(([phase, operation]) => ({ phase, lane: 'a', resource: 'function a', words: '', operation })),
  warnings: [],
})

function apply(plan: Plan, clients: Clients, bytes = 10, signal?: AbortSignal): Promise<void> {
  const zip = new Uint8Array(bytes)
  const code = { a: { ...fn.code, zip } }
  return applyPlan(plan, clients, {
    code,
    settings: desired.settings,
    signal,
    pace: { pollMs: 1, patienceMs: 5, settleMs: 0 },
  })
}

const create = planOf(['functions', { do: 'create-function', function: fn }])
const refused = (name: string, message: string) => Object.assign(new Error(message), { name })

describe('carrying out a plan', () => {
  it('sends a zip with the request, and one of more than 50 MB through the bucket', async () => {
    const small = clientsOf(() => undefined)
    await apply(create, small.clients)
    expect(small.sent[0]).toMatchObject({
      operation: 'CreateFunction',
      input: { Code: { ZipFile: new Uint8Array(10) } },
    })
    const large = clientsOf(() => undefined)
    await apply(create, large.clients, 50 * 2 ** 20 + 1)
    expect(large.sent.map(({ operation }) => operation)).toEqual([
      'PutObject',
      'CreateFunction',
      'GetFunctionConfiguration',
    ])
    expect(large.sent[1]?.input.Code).toEqual({
      S3Bucket: 'fusionize-shop-123456789012-eu-central-1',
      S3Key: expect.stringMatching(/^code\/fusionize-shop-a-.*\.zip$/),
    })
  })

  it('tries again while a new role is not known everywhere, and not for ever', async () => {
    const unknown = () =>
      refused('InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.')
    let times = 2
    const { clients, sent } = clientsOf(({ operation }) => {
      if (operation === 'CreateFunction' && times-- > 0) throw unknown()
    })
    await apply(create, clients)
    expect(sent.filter(({ operation }) => operation === 'CreateFunction')).toHaveLength(3)
    const never = clientsOf(() => {
      throw unknown()
    })
    await expect(apply(create, never.clients)).rejects.toThrow(/the role of function fusionize-shop-a took longer than/)
  })

  it('says why Lambda could not take a change', async () => {
    const { clients } = clientsOf(() => ({
      State: 'Active',
      LastUpdateStatus: 'Failed',
      LastUpdateStatusReason: 'no disk',
    }))
    await expect(apply(create, clients)).rejects.toThrow(
      /fusionize-shop-a: Lambda could not take the change: no disk; correct/,
    )
  })

  it('does not publish what somebody else put there meanwhile', async () => {
    const { clients } = clientsOf(() => ({ Version: '7', Environment: { Variables: { FUSIONIZE: '{}' } } }))
    const publish = planOf(['functions', { do: 'publish-version', function: fn, deployed: desired.deployed }])
    await expect(apply(publish, clients)).rejects.toThrow(/was changed by somebody else while it was deployed/)
  })

  it('ends after the step under way when it is told to', async () => {
    const stop = new AbortController()
    const { clients, sent } = clientsOf(() => void stop.abort())
    const twice = planOf(
      ['shared', { do: 'set-retention', group: { kind: 'log-group', name: 'a', retentionDays: 1 } }],
      ['roles', { do: 'delete-role', role: 'a' }],
    )
    await expect(apply(twice, clients, 1, stop.signal)).rejects.toThrow(/abort/)
    await sleep(1)
    expect(sent).toHaveLength(1)
  })
})
