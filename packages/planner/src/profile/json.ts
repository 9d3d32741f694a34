import type { Profile } from './types.js'

/** The profile as JSON text with its keys in order, so that equal profiles have equal texts. */
export function profileToJSON(profile: Profile): string {
  return JSON.stringify(profile, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

/**
 * Reads what `profileToJSON` wrote.
 * @throws {SyntaxError} the text is no profile of a version this reader knows
 */
export function profileFromJSON(text: string): Profile {
  const profile = JSON.parse(text) as Partial<Profile> | null
  if (profile?.v !== 1 || !profile.tasks || !profile.edges || !profile.functions)
    throw new SyntaxError('not a fusionize profile of version 1')
  return profile as Profile
}
