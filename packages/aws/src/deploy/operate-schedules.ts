import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import { ownerTag } from '../names.js'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import { type ScheduleResource, targetOf } from './resources.js'
import { arnOf } from './settings.js'
import type { Operation } from './steps.js'
import { eventually } from './wait.js'

/** Changes of schedules; undefined for other operations. */
export function scheduleOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  const { scheduler } = context.clients
  switch (op.do) {
    case 'create-schedule-group':
      return createGroup(op.group.name, context)
    case 'delete-schedule-group':
      return unlessGone(scheduler.send(new DeleteScheduleGroupCommand({ Name: op.group })))
    case 'set-schedule':
      return setSchedule(op.schedule, op.exists, context)
    case 'delete-schedule':
      return unlessGone(scheduler.send(new DeleteScheduleCommand({ GroupName: op.group, Name: op.schedule })))
    default:
      return undefined
  }
}

async function createGroup(Name: string, { clients, settings }: Context): Promise<void> {
  const Tags = [{ Key: ownerTag, Value: settings.prefix }]
  try {
    await clients.scheduler.send(new CreateScheduleGroupCommand({ Name, Tags }))
  } catch (error) {
    if (!isThere(error)) throw error
  }
}

async function setSchedule(schedule: ScheduleResource, exists: boolean, { clients, pace, settings }: Context) {
  const input = {
    GroupName: schedule.group,
    Name: schedule.name,
    ScheduleExpression: schedule.expression,
    FlexibleTimeWindow: { Mode: 'FLEXIBLE' as const, MaximumWindowInMinutes: 1 },
    Target: {
      Arn: arnOf(settings, 'lambda', `function:${targetOf(schedule)}`),
      RoleArn: schedule.role,
      Input: schedule.input,
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    },
  }
  // The scheduler refuses a role for some seconds that was just made.
  await eventually(pace, `the role of schedule ${schedule.name}`, async () => {
    try {
      if (exists) await clients.scheduler.send(new UpdateScheduleCommand(input))
      else await clients.scheduler.send(new CreateScheduleCommand(input))
      return true
    } catch (error) {
      if (isThere(error)) return true
      const { message, name } = error as Error
      if (name === 'ValidationException' && /role|assume/i.test(message)) return undefined
      throw error
    }
  })
}
