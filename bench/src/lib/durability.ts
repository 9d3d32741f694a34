import type { Case, Setting } from '../harness.js'

/** Every case without and with a journal, by `id none` and `id journal`. */
export function eachDurability(settings: Record<string, Omit<Setting, 'durability'>>): Record<string, Case> {
  const cases: Record<string, Case> = {}
  for (const [id, setting] of Object.entries(settings))
    for (const durability of ['none', 'journal'] as const)
      cases[`${id} ${durability}`] = { case: id, ...setting, durability }
  return cases
}
