import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const names = ['I', 'CW', 'SE', 'CT', 'CS', 'CSL', 'CSA', 'CA', 'DJ', 'AS']
const epoch = 1_700_000_000_000

interface Call {
  called: string
  local: boolean
  sync: boolean
  time: number
}

const remote = (called: string, sync: boolean, time: number): Call => ({ called, local: false, sync, time })
const own = (called: string, time: number): Call => ({ called, local: true, sync: true, time })

/** Writes a folder of one run `made-up` with one setup: all remote but check-sensor, two requests, the second without a record of `store-event`. */
export function writeTraces(dir: string): void {
  const run = join(dir, 'made-up')
  mkdirSync(run)
  const strategy = (host: string, task: string) => ({ strategy: host === 'I' && task === 'CW' ? 'local' : 'remote' })
  const rules = Object.fromEntries(
    names.map((host) => [
      host,
      Object.fromEntries(names.map((task) => [task, { sync: strategy(host, task), async: { strategy: 'remote' } }])),
    ]),
  )
  writeFileSync(join(run, 'setups.json'), JSON.stringify({ order: ['a', 'b'], setups: { a: { rules }, b: { rules } } }))
  const sample = { rr_p50: 260, cost_corr_mean: 3e-6, cold_inv: 0.1 }
  writeFileSync(join(run, 'expected.json'), JSON.stringify({ a: { sample } }))
  const records = [...trace('t0', epoch), ...trace('t1', epoch + 200).filter((x) => x.currentFunction !== 'SE')]
  writeFileSync(join(run, 'a.ndjson'), `${records.map((record) => JSON.stringify(record)).join('\n')}\n`)
}

function trace(traceId: string, start: number) {
  const record = (fn: string, handlerMs: number, calls: Call[], memory = 128) => ({
    traceId,
    currentFunction: fn,
    memoryAvail: String(memory),
    billedDuration: handlerMs + 1,
    isRootInvocation: fn === 'I',
    isColdStart: false,
    startTimestamp: start,
    endTimestamp: start + handlerMs,
    internalDuration: handlerMs - 2,
    calls,
  })
  const sends = [remote('CT', false, 100), remote('CS', false, 110), remote('CA', false, 90)]
  return [
    record('I', 260, [own('CW', 5), remote('SE', true, 120), ...sends, own('I', 258)]),
    record('SE', 40, [own('SE', 38)]),
    record('CT', 130, [remote('AS', false, 100), own('CT', 128)], 768),
    record('CS', 200, [remote('CSL', true, 150), remote('CSA', true, 190), own('CS', 198)]),
    record('CSL', 60, [own('CSL', 58)]),
    record('CSA', 70, [own('CSA', 68)]),
    record('CA', 230, [remote('DJ', true, 120), remote('AS', false, 100), own('CA', 228)]),
    record('DJ', 60, [own('DJ', 58)]),
    // Two invocations merged into one record, and their calls doubled.
    record('AS', 50, [own('AS', 48), own('AS', 48), own('AS', 55), own('AS', 55)]),
  ]
}
