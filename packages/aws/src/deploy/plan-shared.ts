import type { Observed } from './observed.js'
import { roleSteps } from './plan-roles.js'
import { type Desired, ofKind } from './resources.js'
import { type Step, stepFor } from './steps.js'

/** Steps for what the functions share, their roles and their log groups. */
export function planShared(desired: Desired, observed: Observed): Step[] {
  return [
    ...bucketSteps(desired, observed),
    ...tableSteps(desired, observed),
    ...queueSteps(desired, observed),
    ...ofKind(desired, 'log-group').flatMap((group) => {
      const step = stepFor('shared', `log group ${group.name}`)
      const known = observed.logGroups.get(group.name)
      const words = `keep logs for ${group.retentionDays} days`
      if (known === undefined) return [step(`create, ${words}`, { do: 'create-log-group', group })]
      return known === group.retentionDays ? [] : [step(words, { do: 'set-retention', group })]
    }),
    ...ofKind(desired, 'role').flatMap((role) => roleSteps(role, observed.roles.get(role.name))),
  ]
}

function bucketSteps(desired: Desired, { bucket: known }: Observed): Step[] {
  return ofKind(desired, 'bucket').flatMap((bucket) => {
    const step = stepFor('shared', `bucket ${bucket.name}`)
    const expiry = Object.fromEntries(bucket.expiry.map(({ days, prefix }) => [prefix, days]))
    const isExpiring = known && bucket.expiry.every(({ days, prefix }) => known.expiry[prefix] === days)
    const what = [
      ...(known?.isTagged ? [] : ['tags' as const]),
      ...(known?.isPrivate ? [] : ['access' as const]),
      ...(known?.isEncrypted ? [] : ['encryption' as const]),
      ...(isExpiring ? [] : ['expiry' as const]),
    ]
    const words = Object.entries(expiry).map(
      ([prefix, days]) => `${prefix} goes after ${days} day${days === 1 ? '' : 's'}`,
    )
    return [
      ...(known ? [] : [step('create', { do: 'create-bucket', bucket })]),
      ...(what.length > 0
        ? [step(`private, encrypted, tagged; ${words.join(', ')}`, { do: 'configure-bucket', bucket, what })]
        : []),
    ]
  })
}

function tableSteps(desired: Desired, { table: known }: Observed): Step[] {
  return ofKind(desired, 'table').flatMap((table) => {
    const step = stepFor('shared', `table ${table.name}`)
    return [
      ...(known ? [] : [step('create, paid by request', { do: 'create-table', table })]),
      ...(known?.isReady === false ? [step('wait until it is there', { do: 'wait-table', table })] : []),
      ...(known?.expires === table.expires
        ? []
        : [step(`items go at the time in '${table.expires}'`, { do: 'set-expiry', table })]),
    ]
  })
}

function queueSteps(desired: Desired, { queues }: Observed): Step[] {
  return ofKind(desired, 'queue').flatMap((queue) => {
    const step = stepFor('shared', `queue ${queue.name}`)
    const known = queues.get(queue.name)
    const words = `keep ${queue.keeps} for ${queue.retentionS / 86_400} days`
    if (!known) return [step(`create, ${words}`, { do: 'create-queue', queue })]
    const isSame =
      known.retentionS === queue.retentionS &&
      (queue.visibilityS === undefined || known.visibilityS === queue.visibilityS)
    return isSame ? [] : [step(words, { do: 'set-queue', queue, url: known.url })]
  })
}
