import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '../harness.js'
import { runCommand, setting } from '../lib/run-command.js'
import { writeSpans } from '../lib/span-file.js'

const SPANS = 1_000_000
const QUICK_SPANS = 20_000
const ROUNDS = 3
/** The budget of the issue. */
const BUDGET_S = 60

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
        const { document, peakKb, seconds } = await runCommand<{ input: { spans: number; skipped: number } }>([
          'advise',
          file,
        ])
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
