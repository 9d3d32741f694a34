import { writeFile } from 'node:fs/promises'
import { addRequest, emptyCharacteristics } from '@fusionize/planner'
import { colorsFor } from '../report/colors.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'
import { characteristicsDocument } from '../traces/characteristics.js'
import { characteristicsPage } from '../traces/characteristics-page.js'
import { characteristicsText } from '../traces/characteristics-text.js'
import { filesOf, readAll, readingArgs } from '../traces/command.js'
import { readingLine } from '../traces/reading-text.js'

export default command({
  help: {
    name: 'characterize',
    description: 'Tell what the requests in traces look like: width, depth, skew, payloads, start-ups, double billing',
    examples: [
      ['characterize .fusionize/records.ndjson', "this project's own records"],
      ['characterize spans.jsonl.gz --html shape.html', 'OpenTelemetry, and a page with the distributions'],
      ['characterize - --json < xray.json', 'AWS X-Ray from stdin'],
    ],
    json: '{ requests, incomplete, doubleBilling: { share, unit }, measures: [{ name, unit, n, p50, p95, p99, max, cdf: [{ value, share }] }], untold: [name], stages: [{ from, to, requests, workers, skew, correlation }], input }',
    rest: true,
  },
  args: readingArgs,
  async run({ args }) {
    const out = createOutput(args.json)
    const seen = emptyCharacteristics()
    const input = await readAll(filesOf('characterize', args._), args, out, (trace) => addRequest(seen, trace))
    if (args.html !== undefined) {
      await writeFile(args.html, characteristicsPage(seen, input))
      out.note(`Page: ${args.html}`)
    }
    out.result({ ...characteristicsDocument(seen), input }, () =>
      [readingLine(input), '', characteristicsText(seen, colorsFor(process.stdout))].join('\n'),
    )
  },
})
