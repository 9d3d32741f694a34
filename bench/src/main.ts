#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { suggest } from 'fusionize'
import { benches } from './benches.js'
import { formatResult, type Result, runBench } from './harness.js'
import { InputError } from './input-error.js'

const usage = `Usage: npm run bench -- NAME [--json] [--raw FILE] [options of the bench]

Benches: ${Object.keys(benches).join(', ')}

  --json          one JSON document on stdout: {name, method, machine, rows, findings}
  --raw FILE      every sample as NDJSON
  --quick         tiny numbers, to see that it runs; its figures say nothing
  --traces DIR    emulation: the folder fusionize-iot; prediction: any folder of that format
  --only TEXT     emulation, throughput, chain, fan-out, ad-events, simulator, prediction, planner, convergence: only setups or cases
                  with this in their name
  --app NAME      cold, burst, wisefuse: only this application; replications: this one (iot)
  --setups FILE   cold, burst, webshop: setups that an earlier run found
  --emulate NAME  cold, burst, webshop, wisefuse, simulator: emulated delays (aws-lambda)
  --mb N          sort: size of the file, MB
  --seed N        convergence: of the applications that are simulated
  --seconds N     convergence: of each application on the local platform (340)
  --replications N
                  replications: how many of each goal (20)
  --profile DIR   sizing: a folder of measured runs per memory size
  --p95 TIME      sizing: the target, like 25s or 800ms
  --dag FILE      sizing: how stages follow each other, as JSON (default: in series)`

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const sizing = { profile: text, p95: text, dag: text }
const options = {
  traces: text,
  only: text,
  app: text,
  setups: text,
  emulate: text,
  mb: text,
  seed: text,
  seconds: text,
  replications: text,
  quick: flag,
  ...sizing,
}

process.exitCode = await main()

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse()
  } catch (error) {
    return fail((error as Error).message)
  }
  const { help, json, raw, ...given } = parsed.values
  const [name, ...more] = parsed.positionals
  if (help) {
    console.log(usage)
    return 0
  }
  if (name === undefined) return fail('which bench?')
  if (more.length > 0) return fail(`one bench at a time: '${name}' or '${more[0]}'`)
  const load = Object.hasOwn(benches, name) ? benches[name] : undefined
  if (!load) return fail(`no bench '${name}'${suggest(name, Object.keys(benches))}`)
  const bench = (await load()).default
  const settings = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]))
  let result: Result
  try {
    result = await runBench(name, bench, settings, raw)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    console.error(error.message)
    return 1
  }
  console.log(json ? JSON.stringify(result) : formatResult(result, bench))
  return 0
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: { ...options, help: flag, json: flag, raw: text },
  })
}

function fail(problem: string): number {
  console.error(`${problem}\n\n${usage}`)
  return 2
}
