import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono().post('/one', async (c) => {
  const { n } = await c.req.json<{ n: number }>()
  return c.json({ n })
})
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => process.send?.(`http://127.0.0.1:${port}`))
process.on('disconnect', () => process.exit(0))
