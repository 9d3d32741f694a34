#!/usr/bin/env node
import { suggest } from 'fusionize'
import { type Bench, formatResult, runBench } from './harness.js'

const benches: Record<string, () => Promise<{ default: Bench }>> = {
  'inline-call': () => import('./cases/inline-call.js'),
  startup: () => import('./cases/startup.js'),
  hop: () => import('./cases/hop.js'),
  send: () => import('./cases/send.js'),
  gateway: () => import('./cases/gateway.js'),
  cold: () => import('./cases/cold.js'),
  burst: () => import('./cases/burst.js'),
  emulation: () => import('./cases/emulation.js'),
}

/** Flags without a value. */
const switches = ['json', 'help', 'quick']

const usage = `Usage: npm run bench -- NAME [--json] [--raw FILE] [options of the bench]

Benches: ${Object.keys(benches).join(', ')}

  --json      one JSON document on stdout: {name, method, machine, rows, findings}
  --raw FILE  every sample as NDJSON`

const { name, flags } = parse(process.argv.slice(2))
if (flags.help !== undefined || name === undefined) {
  console.log(usage)
  process.exit(name === undefined && flags.help === undefined ? 2 : 0)
}
const load = benches[name]
if (!load) {
  console.error(`no bench '${name}'${suggest(name, Object.keys(benches))}\n\n${usage}`)
  process.exit(2)
}
const { json, raw, ...options } = flags
const bench = (await load()).default
const result = await runBench(name, bench, options, raw)
console.log(json === undefined ? formatResult(result, bench.yardstick) : JSON.stringify(result))

function parse(args: string[]): { name: string | undefined; flags: Record<string, string> } {
  const flags: Record<string, string> = {}
  let name: string | undefined
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (!arg.startsWith('--')) {
      if (name !== undefined) throw new Error(`one bench at a time: '${name}' or '${arg}'`)
      name = arg
      continue
    }
    const [key, value] = arg.slice(2).split('=', 2) as [string, string | undefined]
    const next = args[i + 1]
    if (value !== undefined) flags[key] = value
    else if (!switches.includes(key) && next !== undefined && !next.startsWith('--')) {
      flags[key] = next
      i++
    } else flags[key] = ''
  }
  return { name, flags }
}
