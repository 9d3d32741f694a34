import { FusionizeError } from 'fusionize'
import { lambdaLimits, policyCharacters } from './limits.js'
import type { Observed } from './observed.js'
import { planFunctions } from './plan-functions.js'
import { planManager } from './plan-manager.js'
import { planRetirement } from './plan-retirement.js'
import { planShared } from './plan-shared.js'
import { planSwitch } from './plan-switch.js'
import { type Desired, ofKind } from './resources.js'
import { type Plan, phases, type Step } from './steps.js'

/** What a plan is made with besides what is desired and what is there. */
export interface PlanOptions {
  /** Epoch ms. */
  now: number
  /** Whether new sessions are to take the setup. Else it is only made ready, and nothing else changes. @default true */
  serves?: boolean
}

/**
 * The changes that lead from what is there to what is desired, in order. Pure: the same for the same, and empty when all is as it should be.
 * @throws {FusionizeError} `DEPLOY_FAILED` when a name is taken by somebody else, or a quota is too small; nothing has been changed then
 */
export function planDeployment(desired: Desired, observed: Observed, { now, serves = true }: PlanOptions): Plan {
  requireOwn(desired, observed)
  requireManager(desired, observed)
  const steps = [
    ...planShared(desired, observed),
    ...planFunctions(desired, observed),
    ...(serves
      ? [
          ...planSwitch(desired, observed, now),
          ...planManager(desired, observed),
          ...planRetirement(desired, observed, now),
        ]
      : []),
  ]
  const ordered = phases.flatMap((phase) => byLane(steps.filter((step) => step.phase === phase)))
  requireQuotas(desired, observed, ordered)
  return { setup: desired.setup, deployed: desired.deployed, steps: ordered, warnings: warningsOf(desired, observed) }
}

/** Steps of a lane together, lanes in the order of their first steps. */
function byLane(steps: readonly Step[]): Step[] {
  const lanes = new Map<string, Step[]>()
  for (const step of steps) lanes.set(step.lane, [...(lanes.get(step.lane) ?? []), step])
  return [...lanes.values()].flat()
}

function requireOwn(desired: Desired, observed: Observed): void {
  const wanted = new Set([
    ...ofKind(desired, 'function').map(({ name }) => `function ${name}`),
    ...ofKind(desired, 'manager').map((one) => `function ${one.function.name}`),
    ...ofKind(desired, 'role').map(({ name }) => `role ${name}`),
    ...ofKind(desired, 'log-group').map(({ name }) => `log group ${name}`),
    ...ofKind(desired, 'bucket').map(({ name }) => `bucket ${name}`),
    ...ofKind(desired, 'table').map(({ name }) => `table ${name}`),
    ...ofKind(desired, 'queue').map(({ name }) => `queue ${name}`),
    ...ofKind(desired, 'schedule-group').map(({ name }) => `schedule group ${name}`),
  ])
  const taken = observed.strangers.filter((name) => wanted.has(name))
  if (taken.length === 0) return
  const { prefix } = desired.settings
  throw new FusionizeError(
    'DEPLOY_FAILED',
    `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already without the tag fusionize:prefix=${prefix}, so not ours to change; set aws.prefix to another name, or delete what is there`,
    { taken },
  )
}

/** A manager takes what somebody else deploys for its own, and goes on from code that it has. */
function requireManager({ settings }: Desired, { manager }: Observed): void {
  if (!manager || settings.managed !== undefined) return
  throw new FusionizeError(
    'DEPLOY_FAILED',
    `function ${manager.name} manages the setups of '${settings.app}', and nobody else may change them meanwhile; deploy with 'fusionize deploy', which keeps the manager and gives it the new code, or end it with 'fusionize deploy --no-managed' first`,
    { resource: manager.name },
  )
}

function requireQuotas(
  desired: Desired,
  { quotas, functions, manager, roles }: Observed,
  steps: readonly Step[],
): void {
  const problems: string[] = []
  const asked = steps.flatMap(({ operation: op }) => (op.do === 'set-concurrency' ? [op] : []))
  const more = asked.reduce(
    (sum, { concurrency = 0, function: name }) =>
      sum + concurrency - ((manager?.name === name ? manager : functions.get(name))?.concurrency ?? 0),
    0,
  )
  if (quotas && more > 0 && quotas.unreservedConcurrency - more < lambdaLimits.unreservedConcurrency)
    problems.push(
      `aws.concurrency, with 1 for a manager, reserves ${more} more than now, but the account has ${quotas.unreservedConcurrency} left and ${lambdaLimits.unreservedConcurrency} must stay unreserved; reserve less, or ask AWS for a higher quota of concurrent executions`,
    )
  const uploaded = steps.flatMap(({ operation: op }) =>
    op.do === 'create-function' || op.do === 'upload-code' ? op.function.code.bytes : 0,
  )
  const bytes = uploaded.reduce((sum, one) => sum + one, 0)
  if (quotas && quotas.usedCodeBytes + bytes > quotas.codeBytes)
    problems.push(
      `the account has room for ${quotas.codeBytes - quotas.usedCodeBytes} bytes of code, but this takes ${bytes}; delete versions of functions that nobody needs, or ask AWS for a higher quota`,
    )
  for (const [role, characters] of policySizes(desired, roles, steps))
    if (characters > policyCharacters)
      problems.push(
        `the policies of role ${role} for all setups that are kept would have ${characters} characters, but IAM allows ${policyCharacters}; wait until older setups retire, or lower aws.keepMs`,
      )
  if (problems.length > 0) throw new FusionizeError('DEPLOY_FAILED', problems.join('\n'), { problems })
}

/** Characters of all inline policies by role, before what no setup needs any more is taken away. */
function policySizes(desired: Desired, roles: Observed['roles'], steps: readonly Step[]): Map<string, number> {
  const policies = new Map(ofKind(desired, 'role').map(({ name }) => [name, new Map(roles.get(name))]))
  for (const { operation: op, phase } of steps)
    if (op.do === 'put-policy' && phase === 'roles')
      policies.get(op.role)?.set(op.policy.name, JSON.stringify(op.policy.document))
  const size = (text: string) => text.replace(/\s/g, '').length
  return new Map([...policies].map(([name, all]) => [name, [...all.values()].reduce((sum, one) => sum + size(one), 0)]))
}

function warningsOf(desired: Desired, { functions, quotas }: Observed): string[] {
  const warnings: string[] = [...desired.ignored]
  const count = ofKind(desired, 'function').length
  if (quotas && quotas.unreservedConcurrency < 10 * count)
    warnings.push(
      `the account runs ${quotas.unreservedConcurrency} functions at a time, and this app has ${count}; ask AWS for a higher quota of concurrent executions before you put load on it`,
    )
  if (ofKind(desired, 'url').some(({ auth }) => auth === 'NONE'))
    warnings.push("aws.functionUrlAuth is 'NONE': whoever knows the address of an entry can call it")
  const changed = ofKind(desired, 'url').filter(({ functionName, mode }) => {
    const now = functions.get(functionName)?.url?.mode
    return now !== undefined && now !== mode
  })
  if (changed.length > 0)
    warnings.push(
      `aws.streaming changes for ${changed.map(({ functionName }) => functionName).join(', ')}: until both the function and its address have changed, a second or two, HTTP answers are garbled`,
    )
  return warnings
}
