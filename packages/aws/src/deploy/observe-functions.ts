import {
  type FunctionConfiguration,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  type LambdaClient,
  ListAliasesCommand,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda'
import { liveAlias, ownerTag } from '../names.js'
import { failing, unlessGone } from './failure.js'
import type { Found, Observed, ObservedConfiguration, ObservedFunction } from './observed.js'
import { pages } from './pages.js'
import { parallel } from './parallel.js'

/** Functions read at a time. */
const AT_ONCE = 6

/**
 * Reads functions of the app, with their versions and aliases.
 * @param names those that there may be, for who may not list what an account has; absent: all whose names begin with the prefix
 */
export async function observeFunctions(
  lambda: LambdaClient,
  prefix: string,
  names?: readonly string[],
): Promise<Found<Observed['functions']>> {
  const candidates = names ?? (await namesOf(lambda, prefix))
  const own: Observed['functions'] = new Map()
  const strangers: string[] = []
  await parallel(candidates, AT_ONCE, async (name) => {
    const found = await observeFunction(lambda, name, prefix)
    if (found === 'stranger') strangers.push(`function ${name}`)
    else if (found) own.set(name, found)
  })
  return { own, strangers }
}

async function namesOf(lambda: LambdaClient, prefix: string): Promise<string[]> {
  const all = await pages('functions', 'ListFunctions', async (Marker) => {
    const { Functions, NextMarker } = await lambda.send(new ListFunctionsCommand({ ...(Marker && { Marker }) }))
    return [Functions ?? [], NextMarker]
  })
  return all.flatMap(({ FunctionName = '' }) => (FunctionName.startsWith(`${prefix}-`) ? FunctionName : []))
}

async function observeFunction(
  lambda: LambdaClient,
  FunctionName: string,
  prefix: string,
): Promise<ObservedFunction | 'stranger' | undefined> {
  const resource = `function ${FunctionName}`
  const found = await failing(resource, 'GetFunction', () =>
    unlessGone(lambda.send(new GetFunctionCommand({ FunctionName }))),
  )
  if (!found?.Configuration) return undefined
  if (found.Tags?.[ownerTag] !== prefix) return 'stranger'
  const [aliases, versions, configs, url, policy] = await Promise.all([
    pages(resource, 'ListAliases', async (Marker) => {
      const page = await lambda.send(new ListAliasesCommand({ FunctionName, ...(Marker && { Marker }) }))
      return [page.Aliases ?? [], page.NextMarker]
    }),
    pages(resource, 'ListVersionsByFunction', async (Marker) => {
      const page = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName, ...(Marker && { Marker }) }))
      return [page.Versions ?? [], page.NextMarker]
    }),
    pages(resource, 'ListFunctionEventInvokeConfigs', async (Marker) => {
      const page = await lambda.send(
        new ListFunctionEventInvokeConfigsCommand({ FunctionName, ...(Marker && { Marker }) }),
      )
      return [page.FunctionEventInvokeConfigs ?? [], page.NextMarker]
    }),
    failing(resource, 'GetFunctionUrlConfig', () =>
      unlessGone(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: liveAlias }))),
    ),
    failing(resource, 'GetPolicy', () =>
      unlessGone(lambda.send(new GetPolicyCommand({ FunctionName, Qualifier: liveAlias }))),
    ),
  ])
  const concurrency = found.Concurrency?.ReservedConcurrentExecutions
  return {
    name: FunctionName,
    latest: configurationOf(found.Configuration),
    versions: Object.fromEntries(
      versions.filter(({ Version }) => Version !== '$LATEST').map((one) => [one.Version, configurationOf(one)]),
    ),
    aliases: Object.fromEntries(
      aliases.map(({ Description = '', FunctionVersion = '', Name = '', RoutingConfig }) => [
        Name,
        { version: FunctionVersion, description: Description, weights: RoutingConfig?.AdditionalVersionWeights ?? {} },
      ]),
    ),
    async: Object.fromEntries(
      configs.map(({ DestinationConfig, FunctionArn = '', MaximumEventAgeInSeconds, MaximumRetryAttempts }) => [
        FunctionArn.split(':')[7] ?? '$LATEST',
        {
          retries: MaximumRetryAttempts,
          maxAgeS: MaximumEventAgeInSeconds,
          onFailure: DestinationConfig?.OnFailure?.Destination,
        },
      ]),
    ),
    ...(url?.FunctionUrl !== undefined && {
      url: { auth: url.AuthType ?? 'AWS_IAM', mode: url.InvokeMode ?? 'BUFFERED', url: url.FunctionUrl },
    }),
    allowed: statementIds(policy?.Policy),
    ...(concurrency !== undefined && { concurrency }),
  }
}

/** The account's limits that a deployment can meet; null when the credentials may not ask for them. */
export async function observeQuotas(lambda: LambdaClient): Promise<Observed['quotas']> {
  const settings = await failing('the account', 'GetAccountSettings', async () => {
    try {
      return await lambda.send(new GetAccountSettingsCommand({}))
    } catch (error) {
      if (/^AccessDenied/.test((error as Error).name)) return undefined
      throw error
    }
  })
  if (!settings) return null
  const { AccountLimit, AccountUsage } = settings
  return {
    unreservedConcurrency: AccountLimit?.UnreservedConcurrentExecutions ?? Number.POSITIVE_INFINITY,
    codeBytes: AccountLimit?.TotalCodeSize ?? Number.POSITIVE_INFINITY,
    usedCodeBytes: AccountUsage?.TotalCodeSize ?? 0,
  }
}

function configurationOf(one: FunctionConfiguration): ObservedConfiguration {
  return {
    codeSha256: one.CodeSha256 ?? '',
    runtime: one.Runtime ?? '',
    architecture: one.Architectures?.[0] ?? 'x86_64',
    memoryMb: one.MemorySize ?? 0,
    timeoutS: one.Timeout ?? 0,
    handler: one.Handler ?? '',
    role: one.Role ?? '',
    environment: one.Environment?.Variables ?? {},
  }
}

function statementIds(policy: string | undefined): string[] {
  if (policy === undefined) return []
  const { Statement = [] } = JSON.parse(policy) as { Statement?: { Sid?: string }[] }
  return Statement.flatMap(({ Sid }) => Sid ?? [])
}
