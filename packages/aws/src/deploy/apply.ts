import type { Clients } from './clients.js'
import type { Context } from './context.js'
import { deployFailure } from './failure.js'
import { aliasOperation } from './operate-aliases.js'
import { functionOperation } from './operate-functions.js'
import { mappingOperation } from './operate-mappings.js'
import { roleOperation } from './operate-roles.js'
import { scheduleOperation } from './operate-schedules.js'
import { sharedOperation } from './operate-shared.js'
import { parallel } from './parallel.js'
import type { Settings } from './settings.js'
import { type Plan, phases, type Step } from './steps.js'
import { type Pace, paceOf } from './wait.js'
import type { CodePackage } from './zip.js'

/** How a plan is carried out. */
export interface ApplyOptions {
  /** The zips, by function of the app. */
  code: Readonly<Record<string, CodePackage>>
  settings: Settings
  /** Told before each step, and when it is done. */
  onStep?: ((step: Step, state: 'begin' | 'done') => void) | undefined
  /** Ends after the steps under way. */
  signal?: AbortSignal | undefined
  /** Waits; a test's are shorter. */
  pace?: Partial<Pace> | undefined
  /** Functions changed at a time. @default 6 */
  atOnce?: number | undefined
}

/**
 * Carries a plan out: phase by phase, resources side by side. Stops at the first failure; a plan made anew does the rest, as nothing is
 * remembered but what is in AWS. Until the phase `switch` nothing serves that did not serve before.
 * @throws {FusionizeError} `DEPLOY_FAILED`: which resource, which operation, what happened and what to do
 */
export async function applyPlan(plan: Plan, clients: Clients, options: ApplyOptions): Promise<void> {
  const { atOnce = 6, code, onStep, pace, settings, signal } = options
  const context: Context = {
    ...{ clients, settings, code, deployed: plan.deployed, versions: new Map(), permittedAt: 0 },
    pace: paceOf(pace, signal),
  }
  for (const phase of phases) {
    const steps = plan.steps.filter((step) => step.phase === phase)
    if (phase === 'switch' && steps.length > 0) await settlePermissions(context)
    await parallel([...lanesOf(steps).values()], atOnce, async (lane) => {
      for (const step of lane) {
        signal?.throwIfAborted()
        onStep?.(step, 'begin')
        await carryOut(step, context)
        onStep?.(step, 'done')
      }
    })
  }
}

function lanesOf(steps: readonly Step[]): Map<string, Step[]> {
  const lanes = new Map<string, Step[]>()
  for (const step of steps) lanes.set(step.lane, [...(lanes.get(step.lane) ?? []), step])
  return lanes
}

async function carryOut({ operation, resource }: Step, context: Context): Promise<void> {
  try {
    const run =
      functionOperation(operation, context) ??
      aliasOperation(operation, context) ??
      roleOperation(operation, context) ??
      scheduleOperation(operation, context) ??
      mappingOperation(operation, context) ??
      sharedOperation(operation, context)
    await run
    if (operation.do === 'put-policy') context.permittedAt = Date.now()
  } catch (error) {
    if (context.pace.signal?.aborted) throw error
    throw deployFailure(resource, operation.do, error)
  }
}

/** IAM takes some seconds to tell everybody of a policy; what the switch lets in needs it at once. */
async function settlePermissions({ pace, permittedAt }: Context): Promise<void> {
  const leftMs = permittedAt + pace.settleMs - Date.now()
  if (leftMs > 0) await pace.wait(leftMs)
}
