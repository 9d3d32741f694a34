import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Bench, Setting } from '../harness.js'
import { writeSpans } from '../lib/span-file.js'

const SPANS = 1_000_000
const QUICK_SPANS = 20_000
const ROUNDS = 3
/** The budget of the issue. */
const BUDGET_S = 60

const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'file',
  durability: 'none',
  records: 'off',
  wait: 'park',
}

const bench: Bench = {
  method: `fusionize advise --json on made OpenTelemetry spans (JSON lines of batches by resource, a request's spans spread over lines) as a process of its own, from its start to its end; ${SPANS} spans, ${ROUNDS} rounds; peak resident memory of the process as it reports it`,
  unit: 's',
  moreIsInFindings: true,
  cases: { advise: setting },
  async run({ options, sample, more, finding, progress, samplesOf }) {
    const dir = await mkdtemp(join(tmpdir(), 'fusionize-advise-'))
    try {
      const file = join(dir, 'spans.jsonl')
      const wanted = options.quick === undefined ? SPANS : QUICK_SPANS
      const { spans } = await writeSpans(file, wanted)
      const mb = (await stat(file)).size / 1e6
      progress(`${spans} spans, ${mb.toFixed(0)} MB`)
      let peakMb = 0
      for (let round = 0; round < (options.quick === undefined ? ROUNDS : 1); round++) {
        const { document, peakKb, seconds } = await advise(file)
        if (document.input.spans !== spans || document.input.skipped !== 0)
          throw new Error(`of ${spans} spans it read ${document.input.spans} and skipped ${document.input.skipped}`)
        sample('advise', seconds)
        peakMb = Math.max(peakMb, peakKb / 1024)
      }
      const [median] = [...samplesOf('advise')].sort((a, b) => a - b).slice(Math.floor(samplesOf('advise').length / 2))
      const perSecond = Math.round(spans / (median as number))
      more('advise', { spans, fileMb: Math.round(mb), spansPerSecond: perSecond, peakMb: Math.round(peakMb) })
      finding(
        `${spans} spans (${mb.toFixed(0)} MB) in ${(median as number).toFixed(1)} s (budget ${BUDGET_S} s for a million): ${perSecond} spans/s, peak memory ${peakMb.toFixed(0)} MB`,
      )
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
}
export default bench

/** Runs the command with a reader of its own peak memory loaded before it. */
function advise(file: string): Promise<{
  document: { input: { spans: number; skipped: number } }
  peakKb: number
  seconds: number
}> {
  const command = join(
    dirname(createRequire(import.meta.url).resolve('@fusionize/cli/package.json')),
    'bin/fusionize.js',
  )
  const tellPeak = `data:text/javascript,process.on('exit',()=>console.error('peak '+process.resourceUsage().maxRSS))`
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', tellPeak, command, 'advise', file, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1000
      const peak = /peak (\d+)/.exec(stderr)
      if (code !== 0 || !peak) return reject(new Error(`fusionize advise ended with ${code}: ${stderr}`))
      resolve({ document: JSON.parse(stdout), peakKb: Number(peak[1]), seconds })
    })
  })
}
