import { Agent, request } from 'node:http'
import { askProcess } from '../lib/peers.js'
import { median } from '../quantile.js'

/** Calls of each client before the faster one is chosen. */
const TRIAL = 1000

const server = await askProcess('fastify-server')
const url = new URL('/callee', server.about)
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

type Client = (body: string) => Promise<string>
const clients: Record<string, Client> = {
  'node:http': (body) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const call = request(url, { method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
      })
      call.on('error', reject)
      call.end(body)
    }),
  fetch: async (body) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return response.text()
  },
}

async function measure(client: Client, count: number): Promise<number[]> {
  const samples: number[] = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    const { tookMs } = JSON.parse(await client(JSON.stringify({ n })))
    samples.push((performance.now() - began - tookMs) * 1000)
  }
  return samples
}

let fastest: { name: string; client: Client; us: number } | undefined
for (const [name, client] of Object.entries(clients)) {
  await measure(client, TRIAL)
  const us = median(await measure(client, TRIAL))
  if (fastest === undefined || us < fastest.us) fastest = { name, client, us }
}
const { name, client } = fastest as NonNullable<typeof fastest>
process.on('message', async (count: number) => process.send?.(await measure(client, count)))
process.on('disconnect', async () => {
  await server.close()
  process.exit(0)
})
process.send?.(`${name}, the fastest of ${Object.keys(clients).join(', ')}`)
