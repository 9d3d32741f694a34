import type { IncomingMessage } from 'node:http'

/** Largest streamed answer, bytes: 200 MB. */
export const LARGEST_STREAM = 200 * 1024 * 1024

/** An answer whose rest may still be to come. */
export interface StreamedAnswer {
  contentType: string
  /** To be read to its end, for the function waits for that. @throws {BrokenAnswer} where it does not end well */
  chunks: AsyncIterable<Buffer>
}

/** What became of an answer that did not end well, as the function or Lambda says it. */
export class BrokenAnswer extends Error {
  readonly payload: Buffer

  constructor(payload: Buffer) {
    super(payload.toString('utf8'))
    this.payload = payload
  }
}

/** Whether the runtime posts its answer as a stream ("Building a custom runtime for AWS Lambda", AWS Lambda Developer Guide). */
export function isStreamed({ headers }: IncomingMessage): boolean {
  return headers['lambda-runtime-function-response-mode'] === 'streaming'
}

/**
 * What the runtime posts, as it comes; an error that it tells of in trailers ends it.
 * @param over called at the end of what it posts. `isTooLarge`: not all of it was taken
 */
export async function* chunksOf(
  request: IncomingMessage,
  over: (isTooLarge: boolean) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0
  const received: AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false })
  for (;;) {
    const { done, value } = await received.next().catch(() => {
      throw broken('Runtime.TruncatedResponse', 'The environment ended amid its answer')
    })
    if (done) break
    bytes += value.length
    if (bytes <= LARGEST_STREAM) yield value
    else {
      request.resume().once('end', () => over(true))
      throw broken('Function.ResponseSizeTooLarge', `A streamed answer has at most ${LARGEST_STREAM} bytes`)
    }
  }
  over(false)
  if (request.trailers['lambda-runtime-function-error-type'] === undefined) return
  throw new BrokenAnswer(Buffer.from(request.trailers['lambda-runtime-function-error-body'] ?? '', 'base64'))
}

function broken(errorType: string, errorMessage: string): BrokenAnswer {
  return new BrokenAnswer(Buffer.from(JSON.stringify({ errorType, errorMessage })))
}
