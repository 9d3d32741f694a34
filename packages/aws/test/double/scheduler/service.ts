import type { Cancel, Clock } from '../clock.js'
import { bodyOf, type Call, json, type Reply, type ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { isAllowed } from '../iam/policy.js'
import type { RoleStore } from '../iam/roles.js'
import { timingOf } from './expression.js'
import { ScheduleGroups } from './groups.js'

interface ScheduleInput {
  GroupName?: string
  ScheduleExpression: string
  ScheduleExpressionTimezone?: string
  State?: 'ENABLED' | 'DISABLED'
  ActionAfterCompletion?: 'NONE' | 'DELETE'
  FlexibleTimeWindow: { Mode: string }
  Target: { Arn: string; RoleArn: string; Input?: string; RetryPolicy?: unknown; DeadLetterConfig?: unknown }
}

export type Schedule = ScheduleInput & {
  GroupName: string
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
 * Not imitated: flexible windows, cron, start and end dates, retries and dead letters of its own, targets
 * other than Lambda. A schedule fires on the double's clock.
 */
export class SchedulerDouble implements ServiceDouble {
  /** By name; those of a group as `<group>/<name>`. */
  readonly schedules = new Map<string, Schedule>()
  /** What went wrong when schedules fired. */
  readonly problems: string[] = []
  readonly #parts: SchedulerParts
  readonly #timers = new Map<string, Cancel>()
  readonly groups: ScheduleGroups

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.groups = new ScheduleGroups(parts.region, parts.account, (group) => {
      for (const [key, { GroupName }] of this.schedules) if (GroupName === group) this.#remove(key)
    })
  }

  operationOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
    const [, kind, name] = path.split('/')
    if (kind === 'tags') return { GET: 'ListTagsForResource', POST: 'TagResource' }[method] ?? 'UntagResource'
    if (kind === 'schedule-groups')
      return (
        { POST: 'CreateScheduleGroup', GET: 'GetScheduleGroup', DELETE: 'DeleteScheduleGroup' }[method] ?? 'Unknown'
      )
    if (kind !== 'schedules') return 'Unknown'
    if (!name) return 'ListSchedules'
    return (
      { POST: 'CreateSchedule', GET: 'GetSchedule', PUT: 'UpdateSchedule', DELETE: 'DeleteSchedule' }[method] ??
      'Unknown'
    )
  }

  resourcesOf(call: Call): string[] {
    const [, kind, part] = call.path.split('/')
    const name = decodeURIComponent(part ?? '')
    if (name === '') return []
    if (kind === 'tags') return [name]
    return [kind === 'schedule-groups' ? this.groups.arnOf(name) : this.#arnOf(keyOf(call, name))]
  }

  passedRoleOf(call: Call): { arn: string; to: string } | undefined {
    if (call.operation !== 'CreateSchedule' && call.operation !== 'UpdateSchedule') return undefined
    const { Target } = bodyOf<ScheduleInput>(call)
    return { arn: Target.RoleArn, to: 'scheduler.amazonaws.com' }
  }

  handle(call: Call): Reply {
    const ofGroup = this.groups.handle(call)
    if (ofGroup) return ofGroup
    const name = keyOf(call, decodeURIComponent(call.path.split('/')[2] ?? ''))
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
        return json(200, { ...schedule, ...times })
      }
      case 'DeleteSchedule':
        this.#find(name)
        this.#remove(name)
        return json(200, {})
      case 'ListSchedules': {
        const prefix = call.query.get('NamePrefix') ?? ''
        const group = call.query.get('ScheduleGroup')
        const isOf = ({ GroupName, Name }: Schedule) =>
          Name.startsWith(prefix) && (group === null || GroupName === group)
        const all = [...this.schedules.values()].filter(isOf)
        const Schedules = all.map(({ Name, GroupName, Arn, State, Target }) => ({
          Name,
          Arn,
          State,
          GroupName,
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

  #put(key: string, input: ScheduleInput): Schedule {
    const { clock, roles } = this.#parts
    const { GroupName = 'default' } = input
    this.groups.require(GroupName)
    const name = key.slice(key.indexOf('/') + 1)
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
    const before = this.schedules.get(key)
    const now = clock.now()
    const schedule: Schedule = {
      ...input,
      State: input.State ?? 'ENABLED',
      ActionAfterCompletion: input.ActionAfterCompletion ?? 'NONE',
      GroupName,
      Name: name,
      Arn: this.#arnOf(key),
      createdMs: before?.createdMs ?? now,
      changedMs: now,
      fired: before?.fired ?? 0,
    }
    this.#remove(key)
    this.schedules.set(key, schedule)
    if (schedule.State === 'ENABLED')
      this.#arm(key, schedule, 'everyMs' in timing ? timing.everyMs : timing.atMs - now, timing)
    return schedule
  }

  #arm(key: string, schedule: Schedule, waitMs: number, timing: ReturnType<typeof timingOf>): void {
    const { ActionAfterCompletion } = schedule
    const cancel = this.#parts.clock.after(Math.max(0, waitMs), () => {
      this.fire(key)
      if ('everyMs' in timing) this.#arm(key, schedule, timing.everyMs, timing)
      else if (ActionAfterCompletion === 'DELETE') this.#remove(key)
    })
    this.#timers.set(key, cancel)
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
    return `arn:aws:scheduler:${this.#parts.region}:${this.#parts.account}:schedule/${name.includes('/') ? name : `default/${name}`}`
  }
}

/** The key of the schedule that a call is about. */
function keyOf(call: Call, name: string): string {
  const group =
    call.query.get('groupName') ??
    (call.method === 'GET' || call.method === 'DELETE' ? undefined : bodyOf<ScheduleInput>(call).GroupName)
  return group === undefined || group === 'default' ? name : `${group}/${name}`
}
