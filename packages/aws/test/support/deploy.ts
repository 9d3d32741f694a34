import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda'
import type { Aws } from '../double/index.js'
import { handlerZip } from './zip.js'

export interface PolicyEntry {
  Effect: 'Allow' | 'Deny'
  Action: string | string[]
  Resource: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

/** What tests of the double do again and again, with the SDK's own clients. */
export class Deploy {
  readonly lambda: LambdaClient
  readonly iam: IAMClient
  readonly #aws: Aws

  constructor(aws: Aws) {
    this.#aws = aws
    // A call that is refused on purpose should not be tried again for long.
    this.lambda = new LambdaClient({ ...aws.client, maxAttempts: 1 })
    this.iam = new IAMClient({ ...aws.client, maxAttempts: 1 })
  }

  /** A role that functions can take, with permission to log and what else is said; returns its ARN. */
  async role(name: string, statements: PolicyEntry[] = [], service = 'lambda.amazonaws.com'): Promise<string> {
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] }
    const { Role } = await this.iam.send(
      new CreateRoleCommand({
        RoleName: name,
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', ...trust }),
      }),
    )
    const logs: PolicyEntry = { Effect: 'Allow', Action: 'logs:*', Resource: '*' }
    await this.allow(name, 'test', [logs, ...statements])
    return Role?.Arn ?? ''
  }

  async allow(role: string, policy: string, statements: PolicyEntry[]): Promise<void> {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    await this.iam.send(new PutRolePolicyCommand({ RoleName: role, PolicyName: policy, PolicyDocument: document }))
  }

  /** A function with this module as its code, with a role of its own where none is named; resolves when it is active. */
  async fn(name: string, source: string, input: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: 'nodejs22.x',
        Handler: 'index.handler',
        Role: input.Role ?? (await this.role(`role-of-${name}`)),
        Code: { ZipFile: handlerZip(source) },
        ...input,
      }),
    )
    await waitUntilFunctionActiveV2(this.#waiter(), { FunctionName: name })
  }

  async updated(name: string): Promise<void> {
    await waitUntilFunctionUpdatedV2(this.#waiter(), { FunctionName: name })
  }

  async publish(name: string): Promise<string> {
    const { Version = '' } = await this.lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await waitUntilPublishedVersionActive(this.#waiter(), { FunctionName: name, Qualifier: Version })
    return Version
  }

  async invoke(name: string, payload: unknown = {}, input: Partial<InvokeCommandInput> = {}) {
    const answer = await this.lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload), ...input }),
    )
    const text = Buffer.from(answer.Payload ?? []).toString('utf8')
    return {
      status: answer.StatusCode,
      error: answer.FunctionError,
      version: answer.ExecutedVersion,
      log: Buffer.from(answer.LogResult ?? '', 'base64').toString('utf8'),
      requestId: answer.$metadata.requestId ?? '',
      payload: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
  }

  logsOf(name: string): string {
    return this.#aws.logs.messages(`/aws/lambda/${name}`).join('')
  }

  #waiter() {
    return { client: this.lambda, maxWaitTime: 10, minDelay: 0.02, maxDelay: 0.05 } as const
  }
}
