import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const plainSource = fileURLToPath(new URL('packages/fusionize/src/runtime/plain.ts', import.meta.url))

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
            name: 'plain-from-source',
            enforce: 'pre',
            resolveId: (id: string, importer?: string) =>
              id === '#plain' && importer?.includes('/packages/fusionize/src/') ? plainSource : undefined,
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
          // Properties take seconds where other work has the cores.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.system.test.ts', 'bench/test/**/*.system.test.ts'],
          exclude: ['**/node_modules/**', '**/fixtures/**'],
          // They wait more than they compute; nothing timed is asserted.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
