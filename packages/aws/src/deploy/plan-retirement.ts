import { liveAlias, setupAlias, setupOfAlias, sweepName } from '../names.js'
import type { Observed, ObservedFunction } from './observed.js'
import { roleRetirement } from './plan-roles.js'
import { type Desired, ofKind } from './resources.js'
import { oldSetups, retired } from './retirement.js'
import { type Step, stepFor } from './steps.js'

/** Steps that remove what no setup that is kept has: aliases, versions, policies, schedules, and functions with their roles. */
export function planRetirement(desired: Desired, observed: Observed, now: number): Step[] {
  const old = oldSetups(observed, desired.deployed)
  const gone = new Set(retired(old, now, desired.settings.keepMs))
  const kept = new Set([desired.deployed, ...old.map(({ deployed }) => deployed).filter((one) => !gone.has(one))])
  const wanted = new Set(ofKind(desired, 'function').map(({ name }) => name))
  const isKept = ({ aliases, name }: ObservedFunction) =>
    wanted.has(name) || Object.keys(aliases).some((alias) => kept.has(setupOfAlias(alias) ?? ''))
  const functions = [...observed.functions.values()]
  const keptFunctions = new Set(functions.filter(isKept).map(({ name }) => name))
  return [
    ...scheduleSteps(desired, observed, kept),
    ...functions.flatMap((one) =>
      isKept(one)
        ? versionSteps(one, kept, desired)
        : [
            stepFor('clean', `function ${one.name}`)('delete: no setup has it', {
              do: 'delete-function',
              function: one.name,
            }),
          ],
    ),
    ...roleRetirement(desired, observed, kept, (name) => wanted.has(name) || keptFunctions.has(name)),
  ]
}

function versionSteps(one: ObservedFunction, kept: ReadonlySet<string>, desired: Desired): Step[] {
  const step = stepFor('clean', `function ${one.name}`)
  const isGone = (alias: string) => alias !== liveAlias && !kept.has(setupOfAlias(alias) ?? alias)
  const aliases = Object.entries(one.aliases)
  const goneAliases = aliases.filter(([name]) => setupOfAlias(name) !== undefined && isGone(name))
  const names = new Set(goneAliases.map(([name]) => name))
  const pointed = new Set(
    aliases
      .filter(([name]) => !names.has(name))
      .flatMap(([, { version, weights }]) => [version, ...Object.keys(weights)]),
  )
  const unpointed = new Set(
    goneAliases.map(([, { version }]) => version).filter((version) => !pointed.has(version) && version in one.versions),
  )
  return [
    ...goneAliases.flatMap(([alias]) => [
      ...(one.async[alias]
        ? [step(`${alias}: no retries`, { do: 'delete-async', function: one.name, qualifier: alias })]
        : []),
      step(`${alias}: retire`, { do: 'delete-alias', function: one.name, alias }),
    ]),
    ...[...unpointed, ...strayVersions(one, desired)].map((version) =>
      step(`delete version ${version}`, { do: 'delete-version', function: one.name, version }),
    ),
  ]
}

/** Versions that a deployment published and then stopped before anything pointed to them. */
function strayVersions(one: ObservedFunction, desired: Desired): string[] {
  // Where this run may take one up, or publish, the next run sees what is left.
  if (!one.aliases[setupAlias(desired.deployed)]) return []
  const pointed = new Set(
    Object.values(one.aliases).flatMap(({ version, weights }) => [version, ...Object.keys(weights)]),
  )
  return Object.keys(one.versions).filter((version) => !pointed.has(version))
}

function scheduleSteps(desired: Desired, { scheduleGroups }: Observed, kept: ReadonlySet<string>): Step[] {
  const group = sweepName(desired.settings.prefix)
  return (scheduleGroups.get(group) ?? []).flatMap(({ name, target }) => {
    const deployed = setupOfAlias(target.split(':').at(-1) ?? '')
    if (deployed === undefined || kept.has(deployed)) return []
    const step = stepFor('clean', `schedule ${group}/${name}`)
    return [step('delete: its setup retires', { do: 'delete-schedule', group, schedule: name })]
  })
}
