import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Builder, createBuilder } from '@fusionize/platform'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'

const folder = (path: string) => fileURLToPath(new URL(`../../../../examples/${path}`, import.meta.url))

export type ExampleName = 'iot' | 'tree' | 'webshop' | 'ad-events' | 'mapreduce-sort'

/** A builder of an example with an adapter that only a deployer needs; call `close` in the end. */
export function builderOf(name: ExampleName): Builder & { close(): Promise<void> } {
  const appDir = folder(name)
  mkdirSync(`${appDir}/.fusionize`, { recursive: true })
  const outDir = mkdtempSync(`${appDir}/.fusionize/deployer-`)
  const builder = createBuilder({
    appDir,
    name,
    taskDirs: ['tasks'],
    outDir,
    adapter: fileURLToPath(new URL('adapter.mjs', import.meta.url)),
    evaluator: fileURLToPath(new URL('evaluator.mjs', import.meta.url)),
  })
  const close = async () => {
    await builder.dispose()
    rmSync(outDir, { recursive: true, force: true })
  }
  return { ...builder, close }
}

/** Everything remote, everything fused, and the first half of the calls of each function fused. */
export function setupsOf(app: App): Record<'remote' | 'fused' | 'mixed', FusionSetup> {
  const mixed = remoteSetup(app, 256)
  for (const [i, edge] of app.edges.entries()) {
    if (i % 2 !== 0) continue
    for (const mode of edge.modes) mixed.functions[edge.from]?.inline[mode].push(edge.to)
  }
  return { remote: remoteSetup(app, 128), fused: allFusedSetup(app, 512), mixed }
}
