import { type Engine, RegoEngine } from '@aws/cloudformation-validate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Statement } from '../src/deploy/resources.js'
import { exportCloudFormation } from '../src/export/cloudformation.js'
import type { Template } from '../src/export/template.js'
import { zipsOf } from './support/artifacts.ts'
import { builderOf, type ExampleName, setupsOf } from './support/builds.ts'

const examples: ExampleName[] = ['iot', 'tree', 'webshop', 'ad-events', 'mapreduce-sort']
const templates = new Map<string, Template>()
let engine: Engine

beforeAll(async () => {
  engine = new RegoEngine()
  for (const name of examples) {
    const builder = builderOf(name)
    try {
      const app = await builder.scan()
      for (const [kind, setup] of Object.entries(setupsOf(app))) {
        const build = await builder.build(setup)
        const functionUrlAuth = kind === 'fused' ? 'NONE' : 'AWS_IAM'
        const { template } = exportCloudFormation(build, await zipsOf(build), { functionUrlAuth })
        templates.set(`${name} ${kind}`, template)
      }
    } finally {
      await builder.close()
    }
  }
}, 60_000)

afterAll(() => engine?.free())

const cases = examples.flatMap((name) => ['remote', 'fused', 'mixed'].map((kind) => `${name} ${kind}`))

describe('the CloudFormation template', () => {
  it.each(cases)('of %s is valid: no errors', (name) => {
    const readBytes = () => Buffer.from(JSON.stringify(templates.get(name), null, 1))
    const report = engine.validateStandard({ path: `${name}.json`, readBytes })
    const errors = report.diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL')
    expect(errors.map(({ ruleId, message, entity }) => `${ruleId} ${entity?.logicalId}: ${message}`)).toEqual([])
    expect(report.status).toBe('OK')
  })

  it.each(['ad-events', 'mapreduce-sort'])('of %s has what tells buckets the time, and looks after them', (name) => {
    for (const kind of ['remote', 'fused', 'mixed']) {
      const resources = Object.values(templates.get(`${name} ${kind}`)?.Resources ?? {})
      const of = (type: string) => resources.filter(({ Type }) => Type === type)
      expect(of('AWS::SQS::Queue').map(({ Properties }) => Properties.QueueName)).toContain(`fusionize-${name}-time`)
      expect(of('AWS::Lambda::EventSourceMapping')).toHaveLength(1)
      expect(of('AWS::Scheduler::Schedule')).toHaveLength(of('AWS::Lambda::Function').length)
      // What buckets start has functions of its own.
      const functions = of('AWS::Lambda::Function').map(({ Properties }) => Properties.FunctionName)
      expect(functions).toContain(`fusionize-${name}-${name === 'ad-events' ? 'count' : 'reduce'}`)
    }
  })

  it('would be found invalid with a property that Lambda does not have, or a size that it does not give', () => {
    const template = structuredClone(templates.get('iot fused') as Template)
    const fn = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::Lambda::Function')
    Object.assign(fn?.Properties ?? {}, { MemorySize: 64, Memory: 1 })
    const readBytes = () => Buffer.from(JSON.stringify(template))
    const { diagnostics } = engine.validateStandard({ path: 'wrong.json', readBytes })
    const errors = diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL')
    expect(errors.length).toBeGreaterThanOrEqual(2)
  })

  it('names the resources of every statement of every role: actions in full, no resource but an ARN, none of everything', () => {
    const wrong: string[] = []
    let count = 0
    for (const [name, { Resources }] of templates)
      for (const [id, { Properties, Type }] of Object.entries(Resources)) {
        if (Type !== 'AWS::IAM::Role') continue
        const policies = Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[]
        for (const { Action, Effect, Resource, ...rest } of policies.flatMap((one) => one.PolicyDocument.Statement)) {
          count++
          const arns = Resource.map((one) =>
            typeof one === 'string' ? one : (one as { 'Fn::Sub': string })['Fn::Sub'],
          )
          const isScoped = (arn: string) =>
            /^arn:[^:*]+:[a-z0-9]+:[^:*]*:[^:*]*:[^*:/][^*]*([:/]\*|:setup-\*)?$/.test(
              arn.replace(/\$\{AWS::(\w+)\}/g, '$1'),
            )
          if (
            Effect !== 'Allow' ||
            arns.length === 0 ||
            !arns.every(isScoped) ||
            Action.some((one) => one.includes('*'))
          )
            wrong.push(`${name} ${id}: ${JSON.stringify({ Action, Resource, ...rest })}`)
        }
      }
    expect(wrong).toEqual([])
    expect(count).toBeGreaterThan(200)
  })

  it('says nothing of the machine that it was made on', () => {
    for (const template of templates.values()) expect(JSON.stringify(template)).not.toContain(process.cwd())
  })
})
