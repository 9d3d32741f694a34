import { setupAlias } from '../names.js'
import {
  isSame,
  isSameCode,
  isSameConfiguration,
  type Observed,
  type ObservedAsync,
  type ObservedFunction,
} from './observed.js'
import { type AsyncResource, type Desired, type FunctionResource, ofKind, targetOf } from './resources.js'
import { aliasDescription } from './retirement.js'
import { roleArn } from './settings.js'
import { type Step, stepFor } from './steps.js'

/** Steps that bring every function's version for the setup into being, and the alias by which it is called; nothing serves by them yet. */
export function planFunctions(desired: Desired, observed: Observed): Step[] {
  const functions = ofKind(desired, 'function')
  const alias = setupAlias(desired.deployed)
  return [
    ...functions.flatMap((one) => functionSteps(desired, one, observed.functions.get(one.name))),
    ...ofKind(desired, 'async')
      .filter(({ qualifier }) => qualifier === alias)
      .flatMap((async) => asyncSteps(async, observed.functions.get(async.functionName), 'functions')),
    ...scheduleSteps(desired, observed),
  ]
}

/** How events are retried by an alias. */
export function asyncSteps(
  async: AsyncResource,
  known: ObservedFunction | undefined,
  phase: 'functions' | 'switch' | 'manager',
): Step[] {
  const found = known?.async[async.qualifier]
  if (found && isSameAsync(found, async)) return []
  const name = async.functionName
  const step = stepFor(phase, `alias ${name}:${async.qualifier}`, `function ${name}`)
  const then = async.onFailure === undefined ? '' : ', then to the dead letters'
  return [step(`retry events ${async.retries} times${then}`, { do: 'set-async', async })]
}

function functionSteps(
  { deployed, settings }: Desired,
  one: FunctionResource,
  known: ObservedFunction | undefined,
): Step[] {
  const step = stepFor('functions', `function ${one.name}`)
  const alias = setupAlias(deployed)
  const role = roleArn(settings, one.role)
  const setAlias = stepFor('functions', `alias ${one.name}:${alias}`, `function ${one.name}`)
  const description = aliasDescription()
  const concurrency =
    known?.concurrency === one.concurrency
      ? []
      : [
          step(one.concurrency === undefined ? 'reserve nothing' : `reserve ${one.concurrency} at a time`, {
            do: 'set-concurrency' as const,
            function: one.name,
            concurrency: one.concurrency,
          }),
        ]
  const upload = `upload ${kilobytes(one.code.bytes)}`
  const shape = `${one.memoryMb} MB, ${one.timeoutS} s, ${one.runtime}, ${one.architecture}`
  const publish = step('publish a version', { do: 'publish-version', function: one, deployed })
  if (!known)
    return [
      step(`create: ${upload}; ${shape}`, { do: 'create-function', function: one }),
      ...concurrency,
      publish,
      setAlias('create', { do: 'set-alias', function: one.name, alias, description, exists: false }),
    ]
  const current = known.aliases[alias]
  const pointed = current && known.versions[current.version]
  if (current && pointed && isSame(pointed, one, role)) {
    if (current.description === description) return concurrency
    return [...concurrency, setAlias('serves again', { do: 'describe-alias', function: one.name, alias, description })]
  }
  const exists = current !== undefined
  const [version] = Object.entries(known.versions).find(([, published]) => isSame(published, one, role)) ?? []
  if (version !== undefined)
    return [
      ...concurrency,
      setAlias(`point to version ${version}, which is there already`, {
        ...{ do: 'set-alias' as const, function: one.name, alias, version, description, exists },
      }),
    ]
  return [
    ...(isSameCode(known.latest, one) ? [] : [step(upload, { do: 'upload-code', function: one })]),
    ...(isSameConfiguration(known.latest, one, role)
      ? []
      : [step(`configure: ${shape}`, { do: 'configure-function', function: one })]),
    ...concurrency,
    publish,
    setAlias(exists ? 'point to it' : 'create', {
      ...{ do: 'set-alias' as const, function: one.name, alias, description, exists },
    }),
  ]
}

function scheduleSteps(desired: Desired, { scheduleGroups }: Observed): Step[] {
  return [
    ...ofKind(desired, 'schedule-group').flatMap((group) =>
      scheduleGroups.has(group.name)
        ? []
        : [stepFor('shared', `schedule group ${group.name}`)('create', { do: 'create-schedule-group', group })],
    ),
    ...ofKind(desired, 'schedule').flatMap((schedule) => {
      const found = scheduleGroups.get(schedule.group)?.find(({ name }) => name === schedule.name)
      const isThere =
        found?.expression === schedule.expression &&
        found.role === schedule.role &&
        found.input === schedule.input &&
        found.target.endsWith(`:function:${targetOf(schedule)}`)
      if (isThere) return []
      const phase = schedule.qualifier === undefined ? 'manager' : 'schedules'
      const step = stepFor(phase, `schedule ${schedule.group}/${schedule.name}`)
      const words = `${schedule.expression}: ask ${schedule.functionName} ${schedule.asks}`
      return [step(words, { do: 'set-schedule', schedule, exists: found !== undefined })]
    }),
  ]
}

function isSameAsync(found: ObservedAsync, { maxAgeS, onFailure, retries }: AsyncResource): boolean {
  return found.retries === retries && found.maxAgeS === maxAgeS && found.onFailure === onFailure
}

export function kilobytes(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
