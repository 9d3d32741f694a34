import { type App, artifactTasks, entryTasks, type FusionSetup } from 'fusionize/setup'

/**
 * What the arrival of a request at an entry has start ahead (`prewarm`), ms by function: what the functions say that the request can come to,
 * and of several delays the shortest. Nothing for a function that is no entry.
 * @param functions those that there are
 */
export function aheadOf(
  app: App,
  setup: FusionSetup,
  fn: string,
  functions: readonly string[],
): Record<string, number> {
  if (!entryTasks(app).includes(fn)) return {}
  const reached = new Set([fn])
  for (const from of reached) for (const edge of app.edges) if (edge.from === from) reached.add(edge.to)
  const delays = new Map<string, number>()
  for (const task of reached)
    for (const [to, ms] of Object.entries(setup.functions[task]?.prewarm ?? {}))
      if (to !== fn && functions.includes(to)) delays.set(to, Math.min(ms, delays.get(to) ?? Number.POSITIVE_INFINITY))
  return Object.fromEntries([...delays].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Tasks whose inputs leave a function through S3, whatever their size (`passing`), sorted. */
export function storedOf({ functions }: FusionSetup, fn: string): string[] {
  return Object.entries(functions[fn]?.passing ?? {})
    .flatMap(([task, how]) => (how === 'store' ? task : []))
    .sort()
}

/** What of a setup means nothing on Lambda, in words. */
export function ignoredOf(app: App, setup: FusionSetup, functions: readonly string[]): string[] {
  const passed = functions.flatMap((fn) => {
    const inside = artifactTasks(app, setup, fn)
    const callees = app.edges.filter(({ from }) => inside.includes(from)).map(({ to }) => to)
    return Object.entries(setup.functions[fn]?.passing ?? {})
      .filter(([to, how]) => (how === 'local' || how === 'direct') && callees.includes(to))
      .map(([to, how]) => `${fn} to ${to}: ${how}`)
  })
  if (passed.length === 0) return []
  return [
    `the setup passes data in ways that Lambda does not have (${passed.join(', ')}): it goes inside the call, as with 'payload'`,
  ]
}
