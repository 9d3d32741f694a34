import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kind, openGroups, startProcess, writeFrame } from '@fusionize/local/engine'
import { remoteSetup } from 'fusionize/setup'
import type { Bench, Setting } from '../harness.js'
import { builderOf } from '../lib/app.js'
import { median } from '../quantile.js'

const PAIRS = 150
const QUICK_PAIRS = 5
const WARM_UP = 10
const MEMORY_MB = 1769
const BUDGET_MS = 5

const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'socket',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

const bench: Bench = {
  method: `the engine's own start of a process sandbox of ${MEMORY_MB} MB (same flags, streams, control group), from the call to the arrival of "ready", one at a time: of a module that only opens its channel on fd 3 and says ready, and of the artifact of an application with one task, as the build makes it; in pairs, their order alternating, ${WARM_UP} pairs of warm-up; added = difference of each pair`,
  unit: 'ms',
  yardstick: 'bare-sandbox',
  cases: {
    'bare-sandbox': { ...setting, role: 'yardstick', records: 'off' },
    'fusionize-sandbox': setting,
    added: setting,
  },
  async run({ options, sample, samplesOf, more, finding }) {
    const builder = builderOf('one')
    const app = await builder.scan()
    const build = await builder.build(remoteSetup(app, MEMORY_MB))
    const artifact = build.artifacts.one
    if (artifact === undefined) throw new Error('the application with one task has no artifact')
    const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
    const bare = join(dir, 'bare.mjs')
    writeFileSync(bare, bareSource())
    const groups = openGroups()
    let count = 0
    const start = (file: string) =>
      new Promise<number>((resolve, reject) => {
        let ms: number | undefined
        const began = performance.now()
        const sandbox = `bench-${count++}`
        const host = startProcess(
          {
            file,
            env: {},
            info: { setup: 'bench', sandbox, memory: MEMORY_MB, sampleCpuEvery: 10, timeoutMs: 30_000, dev: false },
          },
          {
            message(head) {
              if (head[0] !== kind.ready) return
              ms = performance.now() - began
              host.kill()
            },
            output: (_, line) => process.stderr.write(`${line}\n`),
            exit: ({ code }) => (ms === undefined ? reject(new Error(`${file} ended with ${code}`)) : resolve(ms)),
          },
          groups,
        )
      })
    const pairs = options.quick === undefined ? PAIRS : QUICK_PAIRS
    try {
      for (let pair = options.quick === undefined ? -WARM_UP : -1; pair < pairs; pair++) {
        const bareFirst = pair % 2 === 0
        const first = await start(bareFirst ? bare : artifact.file)
        const second = await start(bareFirst ? artifact.file : bare)
        if (pair < 0) continue
        const [bareMs, ourMs] = bareFirst ? [first, second] : [second, first]
        sample('bare-sandbox', bareMs)
        sample('fusionize-sandbox', ourMs)
        sample('added', ourMs - bareMs)
      }
    } finally {
      groups.close()
      rmSync(dir, { recursive: true, force: true })
    }
    more('fusionize-sandbox', { artifactBytes: artifact.bytes, cpuShareEnforced: groups.enforced })
    finding(`our runtime adds ${median(samplesOf('added')).toFixed(1)} ms to a start (median; budget ${BUDGET_MS})`)
  },
}
export default bench

/** Says ready as a sandbox does, and ends when its engine goes away. */
function bareSource(): string {
  const out: Uint8Array[] = []
  writeFrame(out, [kind.ready], [])
  return [
    `const net = process.getBuiltinModule('node:net')`,
    `const socket = new net.Socket({ fd: 3, readable: true, writable: true })`,
    `const leave = () => process.exit(0)`,
    `socket.on('end', leave).on('close', leave).on('error', leave)`,
    `socket.on('data', () => {})`,
    `socket.write(Buffer.from('${Buffer.concat(out).toString('base64')}', 'base64'))`,
  ].join('\n')
}
