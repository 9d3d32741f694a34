import type { AliasRoutingConfiguration } from '@aws-sdk/client-lambda'
import { AwsError } from '../gateway/error.js'
import { type Alias, checkRevision, conflict, invalid, type LambdaFunction, notFound, revision } from './model.js'
import type { Places } from './places.js'

export interface AliasInput {
  Name?: string
  FunctionVersion?: string
  Description?: string
  RoutingConfig?: AliasRoutingConfiguration
  RevisionId?: string
}

export function createAlias(places: Places, fn: LambdaFunction, input: AliasInput): Alias {
  const { Name = '', FunctionVersion = '', Description = '', RoutingConfig } = input
  if (!/^(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}$/.test(Name))
    throw new AwsError(
      'ValidationException',
      400,
      `1 validation error detected: Value '${Name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`,
    )
  const AliasArn = places.arnOf(fn.name, Name)
  if (fn.aliases.has(Name)) throw conflict(`Alias already exists: ${AliasArn}`)
  checkVersion(places, fn, FunctionVersion)
  checkRouting(places, fn, FunctionVersion, RoutingConfig)
  const alias: Alias = {
    AliasArn,
    Name,
    FunctionVersion,
    Description,
    RevisionId: revision(),
    ...routing(RoutingConfig),
  }
  fn.aliases.set(Name, alias)
  return alias
}

export function updateAlias(places: Places, fn: LambdaFunction, name: string, input: AliasInput): Alias {
  const before = findAlias(places, fn, name)
  checkRevision(input.RevisionId, before.RevisionId, 'GetAlias')
  const version = input.FunctionVersion ?? before.FunctionVersion
  checkVersion(places, fn, version)
  // Weights stay until the request says others; none is an empty map.
  const wanted = input.RoutingConfig ?? before.RoutingConfig
  checkRouting(places, fn, version, wanted)
  const { RoutingConfig: _, ...rest } = before
  const alias: Alias = {
    ...rest,
    FunctionVersion: version,
    Description: input.Description ?? before.Description,
    RevisionId: revision(),
    ...routing(wanted),
  }
  fn.aliases.set(name, alias)
  return alias
}

/** @throws AwsError where there is none. */
export function findAlias(places: Places, fn: LambdaFunction, name: string): Alias {
  const alias = fn.aliases.get(name)
  if (!alias)
    throw new AwsError('ResourceNotFoundException', 404, `Cannot find alias arn: ${places.arnOf(fn.name, name)}`)
  return alias
}

function checkVersion(places: Places, fn: LambdaFunction, version: string): void {
  if (version !== '$LATEST' && !fn.versions.has(version)) throw notFound(places.arnOf(fn.name, version))
}

/** At most two versions, both published. */
function checkRouting(
  places: Places,
  fn: LambdaFunction,
  main: string,
  config: AliasRoutingConfiguration | undefined,
): void {
  const weights = Object.entries(config?.AdditionalVersionWeights ?? {})
  if (weights.length === 0) return
  if (weights.length > 1) throw invalid('Number of items in AdditionalVersionWeights cannot be greater than 1')
  if (main === '$LATEST' || weights.some(([version]) => version === '$LATEST'))
    throw invalid('$LATEST is not supported for an alias pointing to more than 1 version')
  for (const [version, weight] of weights) {
    checkVersion(places, fn, version)
    if (version === main)
      throw invalid(
        `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
      )
    if (!(weight >= 0 && weight <= 1)) throw invalid(`Weight ${weight} is not between 0.0 and 1.0`)
  }
}

function routing(config: AliasRoutingConfiguration | undefined): Pick<Alias, 'RoutingConfig'> {
  return Object.keys(config?.AdditionalVersionWeights ?? {}).length === 0 ? {} : { RoutingConfig: config }
}
