import {
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListSchedulesCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-scheduler'
import { managerName, ownerTag, sweepName } from '../names.js'
import type { Clients } from './clients.js'
import { failing, unlessGone } from './failure.js'
import type { Found, Observed, ObservedSchedule } from './observed.js'
import { parallel } from './parallel.js'

/** Requests at a time. */
const AT_ONCE = 8

/** Reads the app's groups of schedules: those that look for work that was left behind, and the manager's. */
export async function observeSchedules(clients: Clients, prefix: string): Promise<Found<Observed['scheduleGroups']>> {
  const own: Observed['scheduleGroups'] = new Map()
  const strangers: string[] = []
  for (const Name of [sweepName(prefix), managerName(prefix)])
    await failing(`schedule group ${Name}`, 'ListSchedules', async () => {
      const group = await unlessGone(clients.scheduler.send(new GetScheduleGroupCommand({ Name })))
      if (!group || group.State === 'DELETING') return
      const { Tags } = await clients.scheduler.send(
        new ListTagsForResourceCommand({ ResourceArn: group.Arn as string }),
      )
      if (!Tags?.some(({ Key, Value }) => Key === ownerTag && Value === prefix))
        return void strangers.push(`schedule group ${Name}`)
      own.set(Name, await schedulesOf(clients, Name, await namesOf(clients, Name)))
    })
  return { own, strangers }
}

/** The schedules of a group that have these names, as far as they are there. */
export async function schedulesOf(
  { scheduler }: Pick<Clients, 'scheduler'>,
  GroupName: string,
  names: readonly string[],
): Promise<ObservedSchedule[]> {
  const schedules = await parallel(names, AT_ONCE, async (name): Promise<ObservedSchedule | undefined> => {
    const one = await failing(`schedule ${GroupName}/${name}`, 'GetSchedule', () =>
      unlessGone(scheduler.send(new GetScheduleCommand({ GroupName, Name: name }))),
    )
    if (!one) return undefined
    const { Arn = '', Input = '', RoleArn = '' } = one.Target ?? {}
    return { name, expression: one.ScheduleExpression ?? '', target: Arn, role: RoleArn, input: Input }
  })
  return schedules.filter((one) => one !== undefined)
}

async function namesOf({ scheduler }: Clients, GroupName: string): Promise<string[]> {
  const names: string[] = []
  for (let NextToken: string | undefined, more = true; more; ) {
    const page = await scheduler.send(
      new ListSchedulesCommand({ GroupName, ...(NextToken !== undefined && { NextToken }) }),
    )
    names.push(...(page.Schedules ?? []).map((one) => one.Name as string))
    NextToken = page.NextToken
    more = NextToken !== undefined
  }
  return names
}
