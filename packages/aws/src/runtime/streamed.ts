import { problem } from 'fusionize/http'
import type { LambdaContext, LambdaHandler } from './context.js'
import { partsOf } from './http-event.js'
import { STREAM_BYTES } from './limits.js'

/** What Lambda's Node runtime gives a handler to write its answer to. */
interface AnswerStream {
  setContentType(type: string): void
  write(chunk: string | Uint8Array): boolean
  end(): void
}

export type StreamingHandler = (event: unknown, stream: AnswerStream, context: LambdaContext) => Promise<void>

/** What Lambda's Node runtime adds for handlers that stream ("Writing response streaming-enabled Lambda functions", AWS Lambda Developer Guide). */
declare const awslambda: {
  streamifyResponse(handler: StreamingHandler): StreamingHandler
  HttpResponseStream: { from(stream: AnswerStream, head: object): AnswerStream }
}

/** The same handler with streamed answers: a `Response` with its status and headers first and its bytes as they are, all else as JSON. */
export function streamed(handler: LambdaHandler): StreamingHandler {
  return awslambda.streamifyResponse(async (event, stream, context) => {
    const answer = await handler(event, context)
    if (answer instanceof Response) await write(answer, stream)
    else {
      stream.setContentType('application/json')
      stream.write(JSON.stringify(answer) ?? 'null')
      stream.end()
    }
  })
}

async function write(response: Response, stream: AnswerStream): Promise<void> {
  const { head, data } = await partsOf(response)
  if (data.length > STREAM_BYTES) return write(tooLarge(data.length), stream)
  const body = awslambda.HttpResponseStream.from(stream, head)
  // Status and headers leave with the first chunk, be it empty.
  body.write(data)
  body.end()
}

function tooLarge(bytes: number): Response {
  const why = `the answer has ${bytes} bytes, of ${STREAM_BYTES} that Lambda streams; keep it in a bucket`
  return problem(413, 'PAYLOAD_TOO_LARGE', why)
}
