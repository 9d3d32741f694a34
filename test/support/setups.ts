import { type App, allFusedSetup, type FusionSetup, type Mode, remoteSetup, type StaticEdge } from 'fusionize/setup'

/** The setups that nobody should have to wait for chance to generate: all apart, all fused, and each edge alone in its route. */
export function plannedSetups(app: App, memoryMb: number): FusionSetup[] {
  const edges = app.edges.flatMap((edge) => edge.modes.map((mode) => ({ edge, mode })))
  return [
    remoteSetup(app, memoryMb),
    allFusedSetup(app, memoryMb),
    ...edges.flatMap(({ edge, mode }) => [
      onlyInline(app, memoryMb, edge, mode),
      onlyRemote(app, memoryMb, edge, mode),
    ]),
  ]
}

/** Everything apart but this edge. */
export function onlyInline(app: App, memoryMb: number, { from, to }: StaticEdge, mode: Mode): FusionSetup {
  const setup = remoteSetup(app, memoryMb)
  setup.functions[from]?.inline[mode].push(to)
  return setup
}

/** Everything fused but this edge. */
export function onlyRemote(app: App, memoryMb: number, { to }: StaticEdge, mode: Mode): FusionSetup {
  const setup = allFusedSetup(app, memoryMb)
  for (const spec of Object.values(setup.functions)) spec.inline[mode] = spec.inline[mode].filter((task) => task !== to)
  return setup
}
