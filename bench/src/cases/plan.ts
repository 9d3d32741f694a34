import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '../harness.js'
import { runCommand, setting } from '../lib/run-command.js'
import { SPANS_PER_REQUEST, writeSpans } from '../lib/span-file.js'
import { median } from '../quantile.js'

const TRACES = 1000
const QUICK_TRACES = 20
const ROUNDS = 5
/** The budget of the issue. */
const BUDGET_S = 5
const MEMORY_MB = 512

/** Bounds between what the made application takes as it is and the best that it can. */
const goals = {
  slo: ['--p95', '250ms'],
  budget: ['--budget', '12'],
  front: [],
} as const satisfies Record<string, readonly string[]>

interface Answer {
  requests: number
  plan?: { feasible: boolean; gap: number | null; notation: string }
  front?: unknown[]
}

const bench: Bench = {
  method: `fusionize plan --json on a file of ${TRACES} made OpenTelemetry traces of an application of 12 functions, as a process of its own, from its start to its end: the cheapest within a p95, the fastest within a budget, and no goal; ${ROUNDS} rounds in turn`,
  unit: 's',
  moreIsInFindings: true,
  cases: Object.fromEntries(Object.keys(goals).map((name) => [name, setting])),
  async run({ options, sample, more, finding, samplesOf }) {
    const quick = options.quick !== undefined
    const dir = await mkdtemp(join(tmpdir(), 'fusionize-plan-'))
    try {
      const traces = quick ? QUICK_TRACES : TRACES
      const file = join(dir, 'spans.jsonl')
      await writeSpans(file, traces * SPANS_PER_REQUEST)
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++)
        for (const [name, goal] of Object.entries(goals)) {
          const { document, seconds, peakKb } = await runCommand<Answer>(
            ['plan', file, ...goal, '--memory', String(MEMORY_MB)],
            dir,
          )
          if (document.requests !== traces) throw new Error(`of ${traces} traces it read ${document.requests}`)
          if (document.plan?.feasible === false) throw new Error(`${name}: no plan keeps ${goal.join(' ')}`)
          sample(name, seconds)
          if (round > 0) continue
          const { plan, front } = document
          more(name, { peakMb: Math.round(peakKb / 1024), gap: plan?.gap ?? null, points: front?.length ?? null })
        }
      for (const name of Object.keys(goals))
        finding(`${name}: ${median(samplesOf(name)).toFixed(1)} s for ${traces} traces (median; budget ${BUDGET_S} s)`)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
}
export default bench
