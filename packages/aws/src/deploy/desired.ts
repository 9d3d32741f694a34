import { createHash } from 'node:crypto'
import type { Build } from '@fusionize/platform'
import { FusionizeError, suggest } from 'fusionize'
import { type App, entryTasks, setupId, withoutFusedBuckets } from 'fusionize/setup'
import { logGroup } from '../names.js'
import { aliasesOf, functionResource, timeoutSeconds } from './desired-functions.js'
import { managerKey, managerResources } from './desired-manager.js'
import { sharedResources } from './desired-shared.js'
import { sweepResources } from './desired-sweep.js'
import { requireWithinLimits } from './limits.js'
import { managedRoles } from './managed-roles.js'
import { possibleTasks } from './may-share.js'
import { type Needs, needsOf } from './needs.js'
import type { Code, Desired, FunctionResource, Resource, RoleResource } from './resources.js'
import { functionRole } from './roles.js'
import { type DeployOptions, type Settings, settingsOf } from './settings.js'
import { ignoredOf } from './setup-options.js'

/**
 * What should be there once this build is deployed.
 * @param code of each function's zip, by function
 * @throws {FusionizeError} `INVALID_CONFIG` or `DEPLOY_FAILED` for what Lambda or IAM would refuse
 */
export function desiredResources(build: Build, code: Record<string, Code>, options: DeployOptions): Desired {
  const settings = settingsOf(build.app.name, options)
  requireKnown(build.app, settings)
  const functions = Object.keys(build.artifacts).sort()
  const needs = needsOf(build.app, withoutFusedBuckets(build.setup), functions)
  const holdsWork = (fn: string) => settings.afterReply === 'extension' && isSwept(needs.get(fn))
  const hasBuckets = Object.keys(build.app.buckets ?? {}).length > 0
  // An entry: it is in every setup.
  const taker = hasBuckets ? entryTasks(build.app).find((fn) => functions.includes(fn)) : undefined
  const setup = setupId(build.setup)
  const roles = settings.managed
    ? managedRoles(build.app, settings, settings.managed.constraints ?? {}, taker)
    : new Map(
        functions.map((fn) => {
          const part = { holdsWork: holdsWork(fn), takesTimes: fn === taker }
          return [fn, functionRole(build.app, settings, fn, needs.get(fn) as Needs, part)]
        }),
      )
  const make = (deployed: string) =>
    functions.map((fn) => {
      const afterReply = holdsWork(fn) ? 'extension' : 'before-reply'
      const identity = { setup, deployed, afterReply } as const
      const role = roles.get(fn) as RoleResource
      return functionResource(build, settings, role, fn, needs.get(fn) as Needs, code[fn] as Code, identity)
    })
  const swept = hasBuckets ? functions : functions.filter(holdsWork)
  /** What a function may take in this setup, or in any that a manager may deploy, s. */
  const longestOf = ({ function: fn, timeoutS }: FunctionResource) => {
    if (!settings.managed) return timeoutS
    const inside = possibleTasks(build.app, settings.managed.constraints ?? {}, fn)
    return timeoutSeconds(build.app, inside, inside, fn, settings.timeoutMs)
  }
  const { [managerKey]: managerCode } = code
  const deployed = `${setup}-${digest(make('')).slice(0, 8)}`
  const all = make(deployed)
  requireWithinLimits(build.app, all)
  const resources: Resource[] = [
    ...sharedResources(
      settings,
      all.find((one) => one.function === taker),
      longestOf,
    ),
    ...roles.values(),
    // What a manager deploys has its role and its log already.
    ...[...roles.keys()].map((fn) => ({
      kind: 'log-group' as const,
      name: logGroup(settings.prefix, fn),
      retentionDays: settings.retentionDays,
    })),
    ...all,
    ...all.flatMap((one) => aliasesOf(settings, one, build.app.tasks[one.function], deployed)),
    // Sessions are looked after by the function that saw them first.
    ...sweepResources(settings, swept, [...roles.keys()], deployed),
    ...(settings.managed && managerCode ? managerResources(build.app, settings, managerCode) : []),
  ]
  return { setup, deployed, settings, resources, ignored: ignoredOf(build.app, build.setup, functions) }
}

/** A function that this setup lacks may be in another; one that no task has the name of is a mistake. */
function requireKnown({ tasks }: App, { concurrency }: Settings): void {
  const names = Object.keys(tasks)
  const unknown = Object.keys(concurrency).find((fn) => !names.includes(fn))
  if (unknown === undefined) return
  throw new FusionizeError(
    'INVALID_CONFIG',
    `aws.concurrency names '${unknown}', but there is no such task${suggest(unknown, names)}; tasks are ${names.join(', ')}`,
  )
}

/** Whether work of a function may outlive the invocation that accepted it. */
function isSwept(needs: Needs | undefined): boolean {
  return needs?.isCalled === true && needs.leavesWork
}

/** Changes with the code or the configuration of any function. */
function digest(functions: readonly FunctionResource[]): string {
  const versions = functions.map(({ concurrency: _, ...version }) => version)
  return createHash('sha256').update(JSON.stringify(versions)).digest('hex')
}
