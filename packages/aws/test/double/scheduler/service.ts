import type { Cancel, Clock } from '../clock.js'
import { bodyOf, type Call, json, type Reply, type ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { isAllowed } from '../iam/policy.js'
import type { RoleStore } from '../iam/roles.js'
import { timingOf } from './expression.js'

interface ScheduleInput {
  ScheduleExpression: string
  ScheduleExpressionTimezone?: string
  State?: 'ENABLED' | 'DISABLED'
  ActionAfterCompletion?: 'NONE' | 'DELETE'
  FlexibleTimeWindow: { Mode: string }
  Target: { Arn: string; RoleArn: string; Input?: string; RetryPolicy?: unknown; DeadLetterConfig?: unknown }
}

export type Schedule = ScheduleInput & {
  Name: string
  Arn: string
  createdMs: number
  changedMs: number
  fired: number
}

interface SchedulerParts {
  region: string
  account: string
  clock: Clock
  roles: RoleStore
  /** Invokes a function by ARN, asynchronously. */
  invoke(arn: string, input: string): void
}

/**
 * EventBridge Scheduler with functions as targets, by REST JSON.
 * Not imitated: groups other than `default`, flexible windows, cron, start and end dates, retries and dead letters of its own, targets
 * other than Lambda. A schedule fires on the double's clock.
 */
export class SchedulerDouble implements ServiceDouble {
  readonly schedules = new Map<string, Schedule>()
  /** What went wrong when schedules fired. */
  readonly problems: string[] = []
  readonly #parts: SchedulerParts
  readonly #timers = new Map<string, Cancel>()

  constructor(parts: SchedulerParts) {
    this.#parts = parts
  }

  operationOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
    const [, kind, name] = path.split('/')
    if (kind === 'tags') return { GET: 'ListTagsForResource', POST: 'TagResource' }[method] ?? 'UntagResource'
    if (kind !== 'schedules') return 'Unknown'
    if (!name) return 'ListSchedules'
    return (
      { POST: 'CreateSchedule', GET: 'GetSchedule', PUT: 'UpdateSchedule', DELETE: 'DeleteSchedule' }[method] ??
      'Unknown'
    )
  }

  resourcesOf({ path }: Pick<Call, 'path'>): string[] {
    const name = path.split('/')[2]
    return name ? [this.#arnOf(decodeURIComponent(name))] : []
  }

  handle(call: Call): Reply {
    const name = decodeURIComponent(call.path.split('/')[2] ?? '')
    switch (call.operation) {
      case 'CreateSchedule':
        if (this.schedules.has(name)) throw new AwsError('ConflictException', 409, `Schedule ${name} already exists.`)
        return json(200, { ScheduleArn: this.#put(name, bodyOf<ScheduleInput>(call)).Arn })
      case 'UpdateSchedule':
        this.#find(name)
        return json(200, { ScheduleArn: this.#put(name, bodyOf<ScheduleInput>(call)).Arn })
      case 'GetSchedule': {
        const { createdMs, changedMs, fired: _, ...schedule } = this.#find(name)
        const times = { CreationDate: createdMs / 1000, LastModificationDate: changedMs / 1000 }
        return json(200, { ...schedule, GroupName: 'default', ...times })
      }
      case 'DeleteSchedule':
        this.#find(name)
        this.#remove(name)
        return json(200, {})
      case 'ListSchedules': {
        const prefix = call.query.get('NamePrefix') ?? ''
        const all = [...this.schedules.values()].filter((x) => x.Name.startsWith(prefix))
        const Schedules = all.map(({ Name, Arn, State, Target }) => ({
          Name,
          Arn,
          State,
          GroupName: 'default',
          Target: { Arn: Target.Arn },
        }))
        return json(200, { Schedules })
      }
      default:
        throw new AwsError(
          'ResourceNotFoundException',
          404,
          `The double of Scheduler has no ${call.method} ${call.path}`,
        )
    }
  }

  /** Fires a schedule now, whatever its expression says. */
  fire(name: string): void {
    const schedule = this.#find(name)
    schedule.fired++
    const { Arn, RoleArn, Input = '{}' } = schedule.Target
    const role = this.#parts.roles.byArn(RoleArn)
    if (!role || !isAllowed(this.#parts.roles.policiesOf(role.name), 'lambda:InvokeFunction', Arn))
      return void this.problems.push(`${name}: ${RoleArn} may not call lambda:InvokeFunction on ${Arn}`)
    try {
      this.#parts.invoke(Arn, Input)
    } catch (error) {
      this.problems.push(`${name}: ${String(error)}`)
    }
  }

  #put(name: string, input: ScheduleInput): Schedule {
    const { clock, roles } = this.#parts
    if (!/^[0-9a-zA-Z-_.]{1,64}$/.test(name))
      throw new AwsError(
        'ValidationException',
        400,
        `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint`,
      )
    const timing = timingOf(input.ScheduleExpression, input.ScheduleExpressionTimezone)
    if (!roles.isAssumable(input.Target.RoleArn, 'scheduler.amazonaws.com'))
      throw new AwsError(
        'ValidationException',
        400,
        'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
      )
    const before = this.schedules.get(name)
    const now = clock.now()
    const schedule: Schedule = {
      ...input,
      State: input.State ?? 'ENABLED',
      ActionAfterCompletion: input.ActionAfterCompletion ?? 'NONE',
      Name: name,
      Arn: this.#arnOf(name),
      createdMs: before?.createdMs ?? now,
      changedMs: now,
      fired: before?.fired ?? 0,
    }
    this.#remove(name)
    this.schedules.set(name, schedule)
    if (schedule.State === 'ENABLED')
      this.#arm(schedule, 'everyMs' in timing ? timing.everyMs : timing.atMs - now, timing)
    return schedule
  }

  #arm(schedule: Schedule, waitMs: number, timing: ReturnType<typeof timingOf>): void {
    const { Name, ActionAfterCompletion } = schedule
    const cancel = this.#parts.clock.after(Math.max(0, waitMs), () => {
      this.fire(Name)
      if ('everyMs' in timing) this.#arm(schedule, timing.everyMs, timing)
      else if (ActionAfterCompletion === 'DELETE') this.#remove(Name)
    })
    this.#timers.set(Name, cancel)
  }

  #remove(name: string): void {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
    this.schedules.delete(name)
  }

  #find(name: string): Schedule {
    const schedule = this.schedules.get(name)
    if (!schedule) throw new AwsError('ResourceNotFoundException', 404, `Schedule ${name} does not exist.`)
    return schedule
  }

  #arnOf(name: string): string {
    return `arn:aws:scheduler:${this.#parts.region}:${this.#parts.account}:schedule/default/${name}`
  }
}
