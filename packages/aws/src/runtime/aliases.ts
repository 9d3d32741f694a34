/** Alias that new sessions come by. */
export const liveAlias = 'live'

/** Alias of every function for one setup; sessions that began with the setup call by it. */
export function setupAlias(setup: string): string {
  return `setup-${setup}`
}

/** The setup that an alias stands for; undefined for another alias. */
export function setupOfAlias(alias: string): string | undefined {
  return alias.startsWith('setup-') ? alias.slice('setup-'.length) : undefined
}
