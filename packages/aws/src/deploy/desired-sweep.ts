import { functionName, setupAlias, sweepName, sweepRoleName, sweepScheduleName } from '../names.js'
import type { Resource, ScheduleResource } from './resources.js'
import { sweepRole } from './roles.js'
import { roleArn, type Settings } from './settings.js'

const SWEEP_EVERY = 'rate(5 minutes)'

/** What has functions look after work that was left behind. @param all functions with a role: what a manager deploys may have to be swept */
export function sweepResources(
  settings: Settings,
  swept: readonly string[],
  all: readonly string[],
  deployed: string,
): Resource[] {
  const { prefix } = settings
  const allowed = settings.managed ? all : swept
  if (allowed.length === 0) return []
  const [group, role] = [sweepName(prefix), sweepRoleName(prefix)]
  const namesOf = (functions: readonly string[]) => functions.map((fn) => functionName(prefix, fn))
  const schedules = namesOf(swept).map(
    (name): ScheduleResource => ({
      kind: 'schedule',
      group,
      name: sweepScheduleName(deployed, name),
      expression: SWEEP_EVERY,
      functionName: name,
      qualifier: setupAlias(deployed),
      asks: 'for work that was left behind',
      role: roleArn(settings, role),
      input: '{"fusionize":"sweep"}',
    }),
  )
  return [{ kind: 'schedule-group', name: group }, sweepRole(settings, role, namesOf(allowed)), ...schedules]
}
