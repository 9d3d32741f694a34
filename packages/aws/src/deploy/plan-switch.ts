import { liveAlias, setupAlias } from '../names.js'
import type { Observed, ObservedFunction } from './observed.js'
import { asyncSteps } from './plan-functions.js'
import { type Desired, ofKind, type UrlResource } from './resources.js'
import { aliasDescription, oldSetups } from './retirement.js'
import { type Step, stepFor, urlStatements } from './steps.js'

/**
 * Steps that let new sessions come by the setup: `live` of every function, and what is reached by it. Afterwards the setups before are
 * marked as replaced, and what only they had is no entry any more.
 */
export function planSwitch(desired: Desired, observed: Observed, now: number): Step[] {
  const functions = ofKind(desired, 'function')
  const names = new Set(functions.map(({ name }) => name))
  return [
    ...functions.flatMap(({ name }) => liveSteps(desired.deployed, name, observed.functions.get(name))),
    ...ofKind(desired, 'async')
      .filter(({ qualifier }) => qualifier === liveAlias)
      .flatMap((async) => asyncSteps(async, observed.functions.get(async.functionName), 'switch')),
    ...ofKind(desired, 'url').flatMap((url) => urlSteps(url, observed.functions.get(url.functionName))),
    ...mappingSteps(desired, observed),
    ...[...observed.functions.values()].flatMap((one) => closeSteps(desired, one, names.has(one.name))),
    ...markSteps(desired, observed, now),
  ]
}

function liveSteps(deployed: string, name: string, known: ObservedFunction | undefined): Step[] {
  const live = known?.aliases[liveAlias]
  const version = known?.aliases[setupAlias(deployed)]?.version
  const isThere = live !== undefined && live.version === version && Object.keys(live.weights).length === 0
  const isPublished = version !== undefined && Object.hasOwn(known?.versions ?? {}, version)
  if (isThere && isPublished) return []
  const step = stepFor('switch', `alias ${name}:${liveAlias}`, `function ${name}`)
  return [
    step(`new sessions take setup ${deployed}`, {
      do: 'set-alias',
      function: name,
      alias: liveAlias,
      description: '',
      exists: live !== undefined,
    }),
  ]
}

function urlSteps(url: UrlResource, known: ObservedFunction | undefined): Step[] {
  const step = stepFor('entries', `url of ${url.functionName}`, `function ${url.functionName}`)
  const who = url.auth === 'NONE' ? 'for everybody' : 'for signed requests'
  const how = url.mode === 'RESPONSE_STREAM' ? `${who}, answers are streamed` : who
  const isSame = known?.url?.auth === url.auth && known.url.mode === url.mode
  const allowed = known?.allowed ?? []
  return [
    ...(isSame ? [] : [step(how, { do: 'set-url', url, exists: known?.url !== undefined })]),
    ...urlStatements.flatMap((statement): Step[] => {
      const isAllowed = allowed.includes(statement)
      if (isAllowed === (url.auth === 'NONE')) return []
      const operation = { function: url.functionName, statement }
      return isAllowed
        ? [step('no longer for everybody', { do: 'forbid-url', ...operation })]
        : [step(`allow everybody (${statement})`, { do: 'allow-url', ...operation })]
    }),
  ]
}

/**
 * The new taker of times before the old one goes: a message that two could take is taken by one. In an app that has no buckets any more nobody
 * must hear of one once the switch is made; the sweep tells sessions that began before.
 */
function mappingSteps(desired: Desired, { mappings }: Observed): Step[] {
  const wanted = ofKind(desired, 'mapping')
  const isOf = (arn: string) => wanted.find((one) => arn.endsWith(`:${one.functionName}:${one.qualifier}`))
  const there = mappings.map(({ functionArn }) => isOf(functionArn))
  return [
    ...wanted
      .filter((one) => !there.includes(one))
      .map((mapping) =>
        stepFor(
          'entries',
          `queue ${mapping.queue}`,
          `function ${mapping.functionName}`,
        )(`its messages come to ${mapping.functionName}:${mapping.qualifier}`, { do: 'create-mapping', mapping }),
      ),
    ...mappings
      .filter(({ functionArn, isOn }) => !isOn && isOf(functionArn))
      .map(({ functionArn, id }) =>
        stepFor('entries', `event source mapping ${id}`)(
          `somebody switched it off: times come to ${functionArn} again`,
          { do: 'enable-mapping', id },
        ),
      ),
    ...mappings
      .filter(({ functionArn }) => !isOf(functionArn))
      .map(({ functionArn, id }) =>
        stepFor(wanted.length > 0 ? 'retire' : 'schedules', `event source mapping ${id}`)(
          `no times come to ${functionArn} any more`,
          {
            ...{ do: 'delete-mapping' as const, id },
          },
        ),
      ),
  ]
}

/** A function that is no entry any more has no address, and one that the setup lacks takes no new sessions. */
function closeSteps(desired: Desired, known: ObservedFunction, isDesired: boolean): Step[] {
  const hasUrl = ofKind(desired, 'url').some(({ functionName }) => functionName === known.name)
  const step = stepFor('retire', `function ${known.name}`)
  const live = known.aliases[liveAlias]
  return [
    ...(known.url && !hasUrl ? [step('no address any more', { do: 'delete-url', function: known.name })] : []),
    ...(hasUrl
      ? []
      : known.allowed
          .filter((statement) => (urlStatements as readonly string[]).includes(statement))
          .map((statement) => step('no longer for everybody', { do: 'forbid-url', function: known.name, statement }))),
    ...(live && !isDesired
      ? [
          ...(known.async[liveAlias]
            ? [step('no retries', { do: 'delete-async', function: known.name, qualifier: liveAlias })]
            : []),
          step('takes no new sessions', { do: 'delete-alias', function: known.name, alias: liveAlias }),
        ]
      : []),
  ]
}

/** Writes down when setups were replaced: they go some time after that. */
function markSteps({ deployed }: Desired, observed: Observed, now: number): Step[] {
  const unmarked = oldSetups(observed, deployed).filter(({ replacedAt }) => replacedAt === undefined)
  const aliases = new Set(unmarked.map((one) => setupAlias(one.deployed)))
  return [...observed.functions.values()].flatMap((one) =>
    Object.keys(one.aliases)
      .filter((alias) => aliases.has(alias))
      .map((alias) =>
        stepFor(
          'retire',
          `alias ${one.name}:${alias}`,
          `function ${one.name}`,
        )('replaced, serves its sessions', {
          ...{ do: 'describe-alias' as const, function: one.name, alias, description: aliasDescription(now) },
        }),
      ),
  )
}
