import { managerName } from '../names.js'
import { isSameCode, isSameConfiguration, type Observed } from './observed.js'
import { asyncSteps, kilobytes } from './plan-functions.js'
import { type Desired, ofKind } from './resources.js'
import { roleArn } from './settings.js'
import { type Step, stepFor } from './steps.js'

/** Steps that bring the manager to what is desired, once all that it looks after is there; or take it away. Its schedule is with the others. */
export function planManager(desired: Desired, { manager: known, scheduleGroups }: Observed): Step[] {
  const { managed, prefix } = desired.settings
  const name = managerName(prefix)
  const step = stepFor('manager', `function ${name}`)
  if (managed === false)
    return [
      ...(scheduleGroups.has(name)
        ? [
            stepFor('shared', `schedule group ${name}`)('delete: it is not managed any more', {
              do: 'delete-schedule-group' as const,
              group: name,
            }),
          ]
        : []),
      ...(known
        ? [
            stepFor('shared', `function ${name}`)('delete: it is not managed any more', {
              do: 'delete-function' as const,
              function: name,
            }),
          ]
        : []),
    ]
  return ofKind(desired, 'manager').flatMap(({ function: one }) => {
    const role = roleArn(desired.settings, one.role)
    const shape = `${one.memoryMb} MB, ${one.timeoutS} s, ${one.runtime}, ${one.architecture}`
    const upload = `upload ${kilobytes(one.code.bytes)}`
    const code = !known
      ? [step(`create: ${upload}; ${shape}`, { do: 'create-function' as const, function: one })]
      : [
          ...(isSameCode(known.latest, one) ? [] : [step(upload, { do: 'upload-code' as const, function: one })]),
          ...(isSameConfiguration(known.latest, one, role)
            ? []
            : [step(`configure: ${shape}`, { do: 'configure-function' as const, function: one })]),
        ]
    const { concurrency } = one
    return [
      ...code,
      ...(known?.concurrency === concurrency
        ? []
        : [
            step(`reserve ${concurrency} at a time`, {
              do: 'set-concurrency' as const,
              function: one.name,
              concurrency,
            }),
          ]),
      ...ofKind(desired, 'async')
        .filter(({ functionName }) => functionName === name)
        .flatMap((async) => asyncSteps(async, known ?? undefined, 'manager')),
    ]
  })
}
