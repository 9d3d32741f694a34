import type { Reply } from '../gateway/call.js'
import type { StreamedAnswer } from '../sandbox/streamed-answer.js'

/** Type of an answer that begins with its status and headers. */
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response'
/** What ends these. */
const DELIMITER = Buffer.alloc(8)
/** Within which they must stand, bytes. */
const LARGEST_PRELUDE = 16 * 1024

/** A streamed answer over HTTP: how it begins, and the rest. */
export interface HttpStream extends Omit<Reply, 'body'> {
  cookies: string[]
  chunks: AsyncIterable<Buffer>
}

/**
 * Reads how an answer begins: with what the function says in a prelude, else with 200 and the type of its content.
 * @throws where it has no whole prelude, or the function fails before that
 */
export async function httpStreamOf({ chunks, contentType }: StreamedAnswer): Promise<HttpStream> {
  const iterator = chunks[Symbol.asyncIterator]()
  if (contentType !== PRELUDE_TYPE) {
    const { done, value = Buffer.alloc(0) } = await iterator.next()
    const rest = done ? nothing : iterator
    return { status: 200, headers: { 'content-type': contentType }, cookies: [], chunks: joined(value, rest) }
  }
  let begin: Buffer = Buffer.alloc(0)
  for (let at = -1; at < 0; at = begin.indexOf(DELIMITER)) {
    const { done, value } = await iterator.next()
    // An answer without any content may have no prelude either: the runtime client writes it before the first chunk.
    if (done && begin.length === 0) return { status: 200, headers: {}, cookies: [], chunks: joined(begin, nothing) }
    if (done || begin.length > LARGEST_PRELUDE) throw new Error('The answer has no prelude that ends')
    begin = Buffer.concat([begin, value])
  }
  const at = begin.indexOf(DELIMITER)
  const { statusCode = 200, headers = {}, cookies = [] } = JSON.parse(begin.subarray(0, at).toString('utf8'))
  const first = begin.subarray(at + DELIMITER.length)
  return { status: statusCode, headers, cookies, chunks: joined(first, iterator) }
}

const nothing: AsyncIterator<Buffer> = { next: async () => ({ done: true, value: undefined }) }

async function* joined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  if (first.length > 0) yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}
