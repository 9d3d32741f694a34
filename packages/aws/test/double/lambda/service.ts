import type { FunctionConfiguration } from '@aws-sdk/client-lambda'
import { bodyOf, type Call, json, type Reply, type ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { isAllowed } from '../iam/policy.js'
import type { RoleStore } from '../iam/roles.js'
import { type AliasInput, createAlias, findAlias, updateAlias } from './aliases.js'
import type { AsyncQueue } from './async-queue.js'
import type { Wanted } from './configure.js'
import type { CreateInput, FunctionChanges, FunctionParts, UpdateCodeInput } from './functions.js'
import { type Invoker, invokeOperation } from './invoke.js'
import type { LambdaFunction } from './model.js'
import { addPermission, type PermissionInput, policyOf, removePermission } from './permissions.js'
import type { Places } from './places.js'
import { routeOf } from './routes.js'
import type { FunctionSettings } from './settings.js'
import { publishVersion } from './versions.js'

export interface LambdaParts {
  places: Places
  invoker: Invoker
  queue: AsyncQueue
  changes: FunctionChanges
  settings: FunctionSettings
  versions: Pick<FunctionParts, 'places' | 'clock' | 'settleMs'>
  roles: RoleStore
}

interface Request {
  call: Call
  /** Of the function, or an ARN. */
  name: string
  /** Last part of the path. */
  id: string
  /** The function that the path names. */
  fn(): LambdaFunction
  qualifier: string | undefined
}

type Operation = (request: Request) => Reply | Promise<Reply>

/**
 * Lambda's API, by REST JSON.
 * Not imitated: layers, code signing, images, SnapStart, provisioned concurrency, recursion detection, runtime management,
 * InvokeWithResponseStream, durable functions, capacity providers, quotas on the rate of control-plane calls (`faults` throttles), FunctionVersion=ALL.
 */
export class LambdaDouble implements ServiceDouble {
  /** Items in a page at most; a test makes it small to see paging. */
  pageSize = 50
  readonly #parts: LambdaParts
  /** Operations of other files: function URLs, event source mappings. */
  readonly #more: Record<string, Operation>

  constructor(parts: LambdaParts, more: Record<string, Operation> = {}) {
    this.#parts = parts
    this.#more = more
  }

  operationOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
    return routeOf(method, path)?.operation ?? 'Unknown'
  }

  resourcesOf(call: Call): string[] {
    const route = routeOf(call.method, call.path)
    if (!route?.name) return []
    const { name, qualifier } = this.#parts.places.parse(route.name, call.query.get('Qualifier'))
    return [this.#parts.places.arnOf(name, qualifier)]
  }

  passedRoleOf(call: Call): { arn: string; to: string } | undefined {
    if (call.operation !== 'CreateFunction' && call.operation !== 'UpdateFunctionConfiguration') return undefined
    const { Role } = bodyOf<{ Role?: string }>(call)
    return Role === undefined ? undefined : { arn: Role, to: 'lambda.amazonaws.com' }
  }

  handle(call: Call): Reply | Promise<Reply> {
    const route = routeOf(call.method, call.path)
    const operation = this.#operations[call.operation] ?? this.#more[call.operation]
    if (!route || !operation)
      throw new AwsError('UnknownOperationException', 404, `The double of Lambda has no ${call.method} ${call.path}`)
    const { places } = this.#parts
    return operation({
      call,
      name: route.name,
      id: route.id,
      fn: () => places.find(route.name),
      qualifier: places.parse(route.name, call.query.get('Qualifier')).qualifier,
    })
  }

  readonly #operations: Record<string, Operation> = {
    GetAccountSettings: () => json(200, this.#parts.settings.account()),
    CreateFunction: async ({ call }) =>
      json(201, await this.#parts.changes.create(bodyOf<CreateInput>(call), call.body.length)),
    UpdateFunctionCode: async ({ call, name }) =>
      json(200, await this.#parts.changes.updateCode(name, bodyOf<UpdateCodeInput>(call), call.body.length)),
    UpdateFunctionConfiguration: ({ call, name }) =>
      json(200, this.#parts.changes.updateConfiguration(name, bodyOf<Wanted>(call))),
    DeleteFunction: ({ call, name }) => {
      this.#parts.changes.remove(name, call.query.get('Qualifier'))
      return json(204)
    },
    GetFunction: ({ call, fn, qualifier }) => {
      const found = fn()
      const { principal } = call
      const seesTags =
        principal.kind === 'administrator' ||
        isAllowed(this.#parts.roles.policiesOf(principal.role), 'lambda:ListTags', found.arn)
      const concurrency = found.reservedConcurrency
      return json(200, {
        Configuration: this.#described(found, qualifier),
        Code: { RepositoryType: 'S3', Location: 'https://the-double-has-no-download.invalid/' },
        ...(seesTags && { Tags: Object.fromEntries(found.tags) }),
        ...(concurrency === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: concurrency } }),
      })
    },
    GetFunctionConfiguration: ({ fn, qualifier }) => json(200, this.#described(fn(), qualifier)),
    ListFunctions: ({ call }) => {
      const all = [...this.#parts.places.functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      return this.#page(
        call,
        'Functions',
        all.map(({ latest }) => listed(latest)),
      )
    },
    PublishVersion: ({ call, fn }) => json(201, publishVersion(fn(), bodyOf(call), this.#parts.versions)),
    ListVersionsByFunction: ({ call, fn }) => {
      const { latest, versions } = fn()
      const arn = this.#parts.places.arnOf(latest.FunctionName, '$LATEST')
      return this.#page(call, 'Versions', [{ ...latest, FunctionArn: arn }, ...versions.values()].map(listed))
    },
    CreateAlias: ({ call, fn }) => json(201, createAlias(this.#parts.places, fn(), bodyOf<AliasInput>(call))),
    UpdateAlias: ({ call, fn, id }) => json(200, updateAlias(this.#parts.places, fn(), id, bodyOf<AliasInput>(call))),
    GetAlias: ({ fn, id }) => json(200, findAlias(this.#parts.places, fn(), id)),
    DeleteAlias: ({ fn, id }) => {
      const { aliases, policies, eventInvoke } = fn()
      for (const part of [aliases, policies, eventInvoke]) part.delete(id)
      return json(204)
    },
    ListAliases: ({ call, fn }) => {
      const version = call.query.get('FunctionVersion')
      const all = [...fn().aliases.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1))
      return this.#page(call, 'Aliases', version === null ? all : all.filter((x) => x.FunctionVersion === version))
    },
    Invoke: ({ call, name }) => invokeOperation(call, name, this.#parts),
    AddPermission: ({ call, fn, qualifier }) => {
      const statement = addPermission(this.#parts.places, fn(), qualifier, bodyOf<PermissionInput>(call))
      return json(201, { Statement: JSON.stringify(statement) })
    },
    GetPolicy: ({ fn, qualifier }) => json(200, policyOf(fn(), qualifier)),
    RemovePermission: ({ fn, qualifier, id }) => {
      removePermission(fn(), qualifier, id)
      return json(204)
    },
    PutFunctionConcurrency: ({ call, fn }) => {
      const wanted = bodyOf<{ ReservedConcurrentExecutions: number }>(call).ReservedConcurrentExecutions
      return json(200, this.#parts.settings.reserve(fn(), wanted))
    },
    DeleteFunctionConcurrency: ({ fn }) => {
      delete fn().reservedConcurrency
      return json(204)
    },
    GetFunctionConcurrency: ({ fn }) => json(200, { ReservedConcurrentExecutions: fn().reservedConcurrency }),
    PutFunctionEventInvokeConfig: ({ call, fn, qualifier }) =>
      json(200, this.#parts.settings.setEventInvoke(fn(), qualifier, bodyOf(call), false)),
    UpdateFunctionEventInvokeConfig: ({ call, fn, qualifier }) =>
      json(200, this.#parts.settings.setEventInvoke(fn(), qualifier, bodyOf(call), true)),
    GetFunctionEventInvokeConfig: ({ fn, qualifier }) => json(200, this.#parts.settings.eventInvoke(fn(), qualifier)),
    DeleteFunctionEventInvokeConfig: ({ fn, qualifier }) => {
      this.#parts.settings.eventInvoke(fn(), qualifier)
      fn().eventInvoke.delete(qualifier ?? '$LATEST')
      return json(204)
    },
    ListFunctionEventInvokeConfigs: ({ call, fn }) =>
      this.#page(call, 'FunctionEventInvokeConfigs', [...fn().eventInvoke.values()]),
    ListTags: ({ name }) => json(200, { Tags: Object.fromEntries(this.#parts.settings.tags(name)) }),
    TagResource: ({ call, name }) => {
      const tags = this.#parts.settings.tags(name)
      for (const [key, value] of Object.entries(bodyOf<{ Tags: Record<string, string> }>(call).Tags))
        tags.set(key, value)
      return json(204)
    },
    UntagResource: ({ call, name }) => {
      const tags = this.#parts.settings.tags(name)
      for (const key of call.query.getAll('tagKeys')) tags.delete(key)
      return json(204)
    },
  }

  /** A configuration by the qualifier that was asked for, which its ARN then shows. */
  #described(fn: LambdaFunction, qualifier: string | undefined): FunctionConfiguration {
    const { places } = this.#parts
    return { ...places.configuration(fn, qualifier), FunctionArn: places.arnOf(fn.name, qualifier) }
  }

  #page(call: Call, member: string, items: unknown[]): Reply {
    const start = Number(call.query.get('Marker') ?? 0)
    const end = start + Math.min(Number(call.query.get('MaxItems') ?? this.pageSize), this.pageSize)
    return json(200, { [member]: items.slice(start, end), ...(end < items.length ? { NextMarker: String(end) } : {}) })
  }
}

/** Lists leave the states out. */
function listed(configuration: FunctionConfiguration): FunctionConfiguration {
  const { State: _1, StateReason: _2, StateReasonCode: _3, ...rest } = configuration
  const { LastUpdateStatus: _4, LastUpdateStatusReason: _5, LastUpdateStatusReasonCode: _6, ...shown } = rest
  return shown
}
