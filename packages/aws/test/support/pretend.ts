import type { Observed, ObservedConfiguration, ObservedFunction } from '../../src/deploy/observed.js'
import { type FunctionResource, targetOf } from '../../src/deploy/resources.js'
import { roleArn, type Settings } from '../../src/deploy/settings.js'
import type { Operation, Plan, Step } from '../../src/deploy/steps.js'
import { setupAlias } from '../../src/names.js'

/** What would be there after the first steps of a plan: only for rules about plans, as the double says more of AWS. */
export function pretend(
  before: Observed,
  plan: Plan,
  settings: Settings,
  steps: readonly Step[] = plan.steps,
): Observed {
  const state = structuredClone(before)
  const published = new Map<string, string>()
  for (const { operation } of steps) change(state, operation, plan.deployed, settings, published)
  return state
}

function change(
  state: Observed,
  op: Operation,
  deployed: string,
  settings: Settings,
  published: Map<string, string>,
): void {
  const of = (name: string) =>
    (state.manager?.name === name ? state.manager : state.functions.get(name)) as ObservedFunction
  const policies = (role: string) => state.roles.get(role) as Map<string, string>
  switch (op.do) {
    case 'create-bucket':
      state.bucket = { isTagged: false, isPrivate: false, isEncrypted: false, expiry: {} }
      return
    case 'configure-bucket':
      state.bucket = {
        ...{ isTagged: true, isPrivate: true, isEncrypted: true },
        expiry: Object.fromEntries(op.bucket.expiry.map(({ days, prefix }) => [prefix, days])),
      }
      return
    case 'create-table':
      state.table = { isReady: true, expires: null }
      return
    case 'set-expiry':
      state.table = { isReady: true, expires: op.table.expires }
      return
    case 'create-queue':
    case 'set-queue':
      state.queues.set(op.queue.name, {
        ...{ url: 'https://queue', retentionS: op.queue.retentionS, visibilityS: op.queue.visibilityS ?? 30 },
      })
      return
    case 'create-mapping':
      state.mappings.push({
        ...{ id: String(state.mappings.length), isOn: true },
        functionArn: `arn:aws:lambda:eu-central-1:1:function:${op.mapping.functionName}:${op.mapping.qualifier}`,
      })
      return
    case 'enable-mapping':
      for (const one of state.mappings) if (one.id === op.id) one.isOn = true
      return
    case 'delete-mapping':
      state.mappings = state.mappings.filter(({ id }) => id !== op.id)
      return
    case 'create-log-group':
    case 'set-retention':
      state.logGroups.set(op.group.name, op.group.retentionDays)
      return
    case 'create-role':
      state.roles.set(op.role.name, new Map())
      return
    case 'put-policy':
      policies(op.role).set(op.policy.name, JSON.stringify(op.policy.document))
      return
    case 'delete-policy':
      policies(op.role).delete(op.policy)
      return
    case 'delete-role':
      state.roles.delete(op.role)
      return
    case 'create-function':
      put(state, {
        ...{ name: op.function.name, versions: {}, aliases: {}, async: {}, allowed: [] },
        latest: configurationOf(op.function, settings),
      })
      return
    case 'upload-code': {
      const { architecture, code } = op.function
      Object.assign(of(op.function.name).latest, { codeSha256: code.sha256, architecture })
      return
    }
    case 'configure-function': {
      const { codeSha256, architecture } = of(op.function.name).latest
      of(op.function.name).latest = { ...configurationOf(op.function, settings), codeSha256, architecture }
      return
    }
    case 'publish-version': {
      const one = of(op.function.name)
      const version = String(Math.max(0, ...Object.keys(one.versions).map(Number)) + 1)
      one.versions[version] = { ...one.latest }
      published.set(one.name, version)
      return
    }
    case 'set-concurrency': {
      const { concurrency: _, ...rest } = of(op.function)
      put(state, { ...rest, ...(op.concurrency !== undefined && { concurrency: op.concurrency }) })
      return
    }
    case 'set-alias': {
      const { aliases } = of(op.function)
      const version = op.version ?? published.get(op.function) ?? (aliases[setupAlias(deployed)]?.version as string)
      aliases[op.alias] = { version, description: op.description, weights: {} }
      return
    }
    case 'describe-alias':
      Object.assign(of(op.function).aliases[op.alias] ?? {}, { description: op.description })
      return
    case 'delete-alias':
      delete of(op.function).aliases[op.alias]
      return
    case 'delete-version':
      delete of(op.function).versions[op.version]
      return
    case 'delete-function':
      if (state.manager?.name === op.function) state.manager = null
      else state.functions.delete(op.function)
      return
    case 'set-async': {
      const { maxAgeS, onFailure, retries } = op.async
      of(op.async.functionName).async[op.async.qualifier] = { maxAgeS, onFailure, retries }
      return
    }
    case 'delete-async':
      delete of(op.function).async[op.qualifier]
      return
    case 'set-url':
      of(op.url.functionName).url = { auth: op.url.auth, mode: op.url.mode, url: 'https://url' }
      return
    case 'delete-url':
      delete of(op.function).url
      return
    case 'allow-url':
      of(op.function).allowed.push(op.statement)
      return
    case 'forbid-url':
      of(op.function).allowed = of(op.function).allowed.filter((one) => one !== op.statement)
      return
    case 'create-schedule-group':
      state.scheduleGroups.set(op.group.name, [])
      return
    case 'set-schedule': {
      const { expression, group, input, name, role } = op.schedule
      const others = (state.scheduleGroups.get(group) ?? []).filter((one) => one.name !== name)
      const target = `arn:aws:lambda:eu-central-1:1:function:${targetOf(op.schedule)}`
      state.scheduleGroups.set(group, [...others, { name, expression, role, input, target }])
      return
    }
    case 'delete-schedule': {
      const left = (state.scheduleGroups.get(op.group) ?? []).filter(({ name }) => name !== op.schedule)
      state.scheduleGroups.set(op.group, left)
      return
    }
    case 'delete-schedule-group':
      state.scheduleGroups.delete(op.group)
      return
    case 'wait-table':
      return
  }
}

function put(state: Observed, one: ObservedFunction): void {
  if (one.name.endsWith('_manager')) state.manager = one
  else state.functions.set(one.name, one)
}

function configurationOf(one: FunctionResource, settings: Settings): ObservedConfiguration {
  const { architecture, environment, handler, memoryMb, runtime, timeoutS } = one
  return {
    ...{ architecture, environment, handler, memoryMb, runtime, timeoutS },
    codeSha256: one.code.sha256,
    role: roleArn(settings, one.role),
  }
}
