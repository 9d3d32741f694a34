import { writeFile } from 'node:fs/promises'
import { createAdvisor } from '@fusionize/planner'
import { colorsFor } from '../report/colors.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'
import { adviceDocument } from '../traces/advice-document.js'
import { advicePage } from '../traces/advice-page.js'
import { adviceText } from '../traces/advice-text.js'
import { filesOf, readAll, readingArgs } from '../traces/command.js'
import { type Architecture, architectures, lambdaFacts } from '../traces/facts.js'

export default command({
  help: {
    name: 'advise',
    description: 'Advise from traces of any application: what fusing and sizing its functions would save',
    examples: [
      ['advise spans.jsonl', 'OpenTelemetry, as the collector writes it to files'],
      ['advise traces/*.json.gz --html advice.html', 'AWS X-Ray from BatchGetTraces, gzipped; and a page'],
      ['advise .fusionize/records.ndjson --json', "this project's own records"],
      ['advise spans.jsonl --memory 512', 'when the traces do not tell the memory of functions'],
    ],
    json: '{ requests, runs, doubleBilling, startUps?, total, entries, edges, groups, sizes, notation, limits, nodes, characteristics, prices, input }',
    rest: true,
  },
  args: {
    ...readingArgs,
    memory: {
      type: 'string',
      valueHint: 'MB',
      description: 'Memory of functions whose traces do not tell it (default: no cost is told for them)',
    },
    arch: { type: 'enum', options: [...architectures], default: 'x86', description: 'Prices of AWS Lambda for' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const facts = lambdaFacts(args.arch as Architecture)
    const assumedMemoryMb = numberFlag('memory', args.memory, { min: 64, max: 1_000_000 })
    const advisor = createAdvisor({ facts, ...(assumedMemoryMb !== undefined && { assumedMemoryMb }) })
    const input = await readAll(filesOf('advise', args._), args, out, (trace) => advisor.add(trace))
    const advice = advisor.advice()
    const context = { facts, input, assumedMemoryMb }
    if (args.html !== undefined) {
      await writeFile(args.html, advicePage(advice, context))
      out.note(`Page: ${args.html}`)
    }
    out.result(adviceDocument(advice, context), () => adviceText(advice, context, colorsFor(process.stdout)))
  },
})
