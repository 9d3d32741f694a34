import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/** Minified size in bytes of what a module would bring into an artifact. */
async function sizeOf(source: string, conditions: readonly string[] = []): Promise<number> {
  const result = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // As the build of artifacts has it.
    conditions: ['fusionize-function', ...conditions],
    write: false,
  })
  return result.outputFiles[0]?.contents.byteLength ?? 0
}

const aTask = `[task('f', async () => {})]`

describe('what fusionize adds to every function', () => {
  it('is at most 20 kB minified: the fusion handler, and task with all that it brings', async () => {
    const bytes = await sizeOf(`
      import { task } from 'fusionize'
      import { createHandler } from 'fusionize/runtime'
      globalThis.handler = createHandler({ tasks: ${aTask} }, {}, {})
    `)
    expect(bytes).toBeGreaterThan(5_000)
    expect(bytes).toBeLessThanOrEqual(20_000)
  })

  it('is at most 32.5 kB with the local platform’s adapter: sockets, ports, links past the engine, buckets, and the checks of development', async () => {
    const bytes = await sizeOf(`
      import { task } from 'fusionize'
      import { start } from '@fusionize/local/sandbox'
      start({ app: 'a', function: 'f', tasks: ${aTask}, inline: { call: [], send: [], map: [] }, leaves: [] })
    `)
    expect(bytes).toBeLessThanOrEqual(32_500)
  })

  it('is at most 30 kB more with the adapter for AWS: signed requests, held work, HTTP and SQS; no SDK', async () => {
    const without = await sizeOf(`
      import { task } from 'fusionize'
      import { createHandler } from 'fusionize/runtime'
      globalThis.handler = createHandler({ tasks: ${aTask} }, {}, {})
    `)
    const bytes = await sizeOf(`
      import { task } from 'fusionize'
      import { start } from '@fusionize/aws/runtime'
      export const handler = start({ tasks: ${aTask} })
    `)
    expect(bytes - without).toBeGreaterThan(5_000)
    expect(bytes - without).toBeLessThanOrEqual(30_000)
  })

  it('is at most 4 kB more where the source shows a map, and 14 kB more where items may run in a pool', async () => {
    const withMaps = (imports: string, fields: string) =>
      sizeOf(`
        import { task } from 'fusionize'
        import { createHandler } from 'fusionize/runtime'
        ${imports}
        globalThis.handler = createHandler({ tasks: ${aTask}, ${fields} }, {}, {})
      `)
    const without = await withMaps('', '')
    const importMaps = `import { maps } from 'fusionize/runtime/map'`
    const maps = await withMaps(importMaps, 'maps')
    expect(maps - without).toBeLessThanOrEqual(4_000)
    const importPool = `import { pool } from 'fusionize/runtime/pool'`
    const pool = await withMaps(`${importMaps}\n${importPool}`, 'maps, serves: pool.serve, pool: pool.at(name, {})')
    expect(pool - maps).toBeLessThanOrEqual(14_000)
  })

  it('is at most 30 kB more with the adapter for AWS Lambda, and 62.7 kB more in apps with buckets: these, their machines, and what evaluates them', async () => {
    const functionOf = (imports: string, fields: string) =>
      sizeOf(
        `
          import { bucket, bySet, task } from 'fusionize'
          import { createHandler } from 'fusionize/runtime'
          ${imports}
          const tasks = ${aTask}
          const module = { tasks, ${fields} }
        `,
        ['fusionize-unleased'],
      )
    const without = await functionOf('', '}; globalThis.handler = createHandler(module, {}, {}); void {')
    const start = `import { start } from '@fusionize/aws/runtime'\n`
    const adapter = await functionOf(start, '}; globalThis.handler = start(module); void {')
    expect(adapter - without).toBeLessThanOrEqual(30_000)
    const evaluated = await functionOf(
      `${start}import { evaluate } from '@fusionize/aws/runtime/buckets'\n`,
      `evaluator: evaluate([bucket('b').on(bySet(['a']), tasks[0])]) }; globalThis.handler = start(module); void {`,
    )
    expect(evaluated - adapter).toBeLessThanOrEqual(62_700)
  })

  it('has no dependencies', async () => {
    const { default: manifest } = await import('../packages/fusionize/package.json', { with: { type: 'json' } })
    expect(manifest).not.toHaveProperty('dependencies')
    expect(manifest).not.toHaveProperty('peerDependencies')
  })
})
