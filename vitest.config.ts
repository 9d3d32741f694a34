import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** What `imports` of fusionize's manifest names, as sources. */
const sources: Record<string, string> = Object.fromEntries(
  ['leasing', 'plain'].map((name) => [
    `#${name}`,
    fileURLToPath(new URL(`packages/fusionize/src/runtime/${name}.ts`, import.meta.url)),
  ]),
)

/** Unit tests stand beside their code; what crosses packages, or starts processes, is a system test and runs after them. */
export default defineConfig({
  test: {
    // Of tests that say they may run beside others: as many as the smallest machine has cores.
    maxConcurrency: 2,
    projects: [
      {
        // Tests of fusionize's sources must not have a second copy of its runtime beside them.
        plugins: [
          {
            name: 'runtime-from-source',
            enforce: 'pre',
            resolveId: (id: string, importer?: string) =>
              importer?.includes('/packages/fusionize/src/') ? sources[id] : undefined,
          },
        ],
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'packages/*/test/**/*.test.ts',
            'examples/*/**/*.test.ts',
            'bench/test/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**', '**/*.system.test.ts'],
          // They leave nothing behind, and loading modules for each file anew would take longer than the tests.
          pool: 'threads',
          isolate: false,
          // Properties take seconds where other work has the cores.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.system.test.ts', 'bench/test/**/*.system.test.ts'],
          exclude: ['**/node_modules/**', '**/fixtures/**'],
          // They wait as much as they compute, so there are more than cores; nothing timed is asserted.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
