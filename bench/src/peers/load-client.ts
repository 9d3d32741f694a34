import { connect, type Socket } from 'node:net'

/**
 * Keeps a number of connections busy, one request at a time on each. Arguments: URL, connections, body. Asked for `ms`, it answers with
 * [requests per second, latencies in µs…]. It knows just enough of HTTP to be far cheaper than what it measures.
 */
const [target = '', connections = '1', body = ''] = process.argv.slice(2)
const url = new URL(target)
const request = [
  `POST ${url.pathname} HTTP/1.1`,
  `Host: ${url.host}`,
  'Content-Type: application/json',
  `Content-Length: ${Buffer.byteLength(body)}`,
  '',
  body,
].join('\r\n')

class Connection {
  readonly #socket: Socket
  #text = ''
  #answered: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.#text += chunk
      const head = this.#text.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1]
      if (length === undefined) throw new Error(`no content-length: ${this.#text.slice(0, 200)}`)
      if (this.#text.length < head + 4 + Number(length)) return
      if (!this.#text.startsWith('HTTP/1.1 200 ') || !this.#text.endsWith(body))
        throw new Error(`not the answer: ${this.#text}`)
      this.#text = ''
      this.#answered()
    })
  }

  ask(): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#socket.write(request)
    })
  }

  async run(until: number, latencies: number[]): Promise<void> {
    for (let began = performance.now(); began < until; ) {
      await this.ask()
      const ended = performance.now()
      latencies.push((ended - began) * 1000)
      began = ended
    }
  }
}

const pool = await Promise.all(
  Array.from(
    { length: Number(connections) },
    () =>
      new Promise<Connection>((resolve, reject) => {
        const socket = connect(Number(url.port), url.hostname, () => resolve(new Connection(socket)))
        socket.on('error', reject)
      }),
  ),
)
process.on('message', async (ms: number) => {
  const latencies: number[] = []
  const began = performance.now()
  await Promise.all(pool.map((connection) => connection.run(began + ms, latencies)))
  const perSecond = (latencies.length * 1000) / (performance.now() - began)
  process.send?.([perSecond, ...latencies])
})
process.on('disconnect', () => process.exit(0))
process.send?.('load client')
