/** What one workspace folder may import, by the names that other workspace packages export; `*` stands for any ending. */
export interface Room {
  imports: readonly string[]
  /** Workspace packages that only its scripts use: in `devDependencies`, never imported. */
  scripts?: readonly string[]
  /** Folders and files that are pure: no `node:*`, no clock, no chance, neither themselves nor what they import. */
  pure?: readonly string[]
  /** Folders whose code ships into functions: it imports nothing of the rest of its package. */
  ships?: readonly string[]
}

/** The directions of imports: the one place that says who may see whom. */
export const rooms: Record<string, Room> = {
  'packages/fusionize': { imports: [], pure: ['src/setup', 'src/record.ts', 'src/prices.ts'] },
  'packages/planner': { imports: ['fusionize/setup', 'fusionize/record', 'fusionize/prices'], pure: ['src'] },
  'packages/platform': { imports: ['fusionize', 'fusionize/*'] },
  'packages/local': { imports: ['fusionize', 'fusionize/*', '@fusionize/platform'], ships: ['src/sandbox'] },
  'packages/aws': { imports: ['fusionize', 'fusionize/*', '@fusionize/platform'], ships: ['src/runtime'] },
  'packages/cli': {
    imports: [
      'fusionize',
      'fusionize/*',
      '@fusionize/planner',
      '@fusionize/platform',
      '@fusionize/platform/sealed',
      '@fusionize/local',
      '@fusionize/aws',
      '@fusionize/aws/*',
    ],
    ships: ['src/manager'],
  },
  bench: {
    imports: [
      'fusionize',
      'fusionize/*',
      '@fusionize/planner',
      '@fusionize/platform',
      '@fusionize/local',
      '@fusionize/local/client',
      '@fusionize/local/engine',
      '@fusionize/cli/control',
      '@fusionize/example-kit',
      '@fusionize/example-kit/*',
    ],
  },
  'examples/kit': { imports: [] },
  'examples/iot': { imports: ['fusionize', '@fusionize/example-kit'], scripts: ['@fusionize/cli'] },
  'examples/microbench': {
    imports: ['fusionize', '@fusionize/example-kit', '@fusionize/example-kit/*'],
    scripts: ['@fusionize/cli'],
  },
  'examples/ad-events': {
    imports: ['fusionize', '@fusionize/example-kit', '@fusionize/example-kit/*'],
    scripts: ['@fusionize/cli'],
  },
  'examples/mapreduce-sort': {
    imports: ['fusionize', '@fusionize/example-kit', '@fusionize/example-kit/*'],
    scripts: ['@fusionize/cli'],
  },
  'examples/approximate-svd': { imports: ['fusionize', '@fusionize/example-kit'], scripts: ['@fusionize/cli'] },
  'examples/ml-pipeline': { imports: ['fusionize', '@fusionize/example-kit'], scripts: ['@fusionize/cli'] },
  'examples/tree': { imports: ['fusionize', '@fusionize/example-kit'], scripts: ['@fusionize/cli'] },
  'examples/video-analytics': { imports: ['fusionize', '@fusionize/example-kit'], scripts: ['@fusionize/cli'] },
  'examples/webshop': {
    imports: ['fusionize', '@fusionize/example-kit', '@fusionize/example-kit/*'],
    scripts: ['@fusionize/cli'],
  },
}

/** What tests may import besides what their room may: the room itself and the helpers for tests. */
export const testImports: readonly string[] = ['fusionize/testing', '@fusionize/platform/conformance']
