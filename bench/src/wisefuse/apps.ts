import { fileURLToPath } from 'node:url'
import { type LoadedApp, loadApp } from '@fusionize/cli/control'

/** An application of WiseFuse's, at a size of request that leaves this machine room at `rps` (decision 021: above some 60% busy, requests wait for the machine). */
export interface MeasuredApp {
  name: string
  /** Variables of its configuration: the folder of its store, and its scale. */
  store: string
  scale: [name: string, value: string]
  rps: number
  request(index: number): { task: string; input: unknown }
}

export const measuredApps: readonly MeasuredApp[] = [
  {
    name: 'video-analytics',
    store: 'VIDEO_STORE',
    scale: ['VIDEO_SCALE', '0.5'],
    rps: 12,
    request: (index) => ({ task: 'analyze-video', input: { video: index % 8, chunks: 8, frames: 4 } }),
  },
  {
    name: 'approximate-svd',
    store: 'SVD_STORE',
    scale: ['SVD_SCALE', '0.25'],
    rps: 10,
    request: (index) => ({
      task: 'approximate-svd',
      input: { matrix: index % 4, rows: 2048, columns: 64, values: 10, blocks: 8 },
    }),
  },
  {
    name: 'ml-pipeline',
    store: 'ML_STORE',
    scale: ['ML_SCALE', '0.2'],
    rps: 8,
    request: (index) => ({
      task: 'ml-pipeline',
      input: { dataset: index % 4, training: 100, testing: 100, forests: 10 },
    }),
  },
]

/** The application with the bench's requests, its store in `folder`. */
export async function loadMeasuredApp(app: MeasuredApp, folder: string): Promise<LoadedApp> {
  process.env[app.store] = folder
  const [name, value] = app.scale
  process.env[name] = value
  const loaded = await loadApp(fileURLToPath(new URL(`../../../examples/${app.name}`, import.meta.url)))
  const { config } = loaded
  return { ...loaded, config: { ...config, load: { ...config.load, request: app.request } } }
}
