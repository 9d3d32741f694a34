import { connect } from '@fusionize/local/client'

/** Ms of a window. */
const WINDOW_MS = 100

/**
 * Keeps a number of requests in flight over one connection. Arguments: path of the socket, requests in flight. Asked for `ms`, it answers with
 * [requests, quantiles 0.5, 0.95 and 0.99 of their latencies in µs, requests per second of each window…].
 */
const [path = '', inFlight = '1'] = process.argv.slice(2)
const client = await connect(path)

process.on('message', async (ms: number) => {
  const latencies: number[] = []
  const windows = new Float64Array(Math.round(ms / WINDOW_MS))
  const began = performance.now()
  const ask = async () => {
    for (let start = performance.now(); start - began < ms; ) {
      const result = await client.invoke('one', '{"n":1}')
      if (!result.ok || result.output !== '{"n":1}') throw new Error(`not the answer: ${JSON.stringify(result)}`)
      const end = performance.now()
      latencies.push((end - start) * 1000)
      // What ends after the last window counts in none.
      const window = Math.floor((end - began) / WINDOW_MS)
      windows[window] = (windows[window] ?? 0) + 1000 / WINDOW_MS
      start = end
    }
  }
  await Promise.all(Array.from({ length: Number(inFlight) }, ask))
  const sorted = Float64Array.from(latencies).sort()
  const at = (p: number) => sorted[Math.round((sorted.length - 1) * p)]
  process.send?.([sorted.length, at(0.5), at(0.95), at(0.99), ...windows])
})
process.on('disconnect', async () => {
  await client.close()
  process.exit(0)
})
process.send?.('socket client')
