import fastify from 'fastify'

const server = fastify()
server.post<{ Body: { n: number } }>('/callee', async ({ body }) => {
  const began = performance.now()
  return { n: body.n, tookMs: performance.now() - began }
})
process.on('disconnect', () => process.exit(0))
process.send?.(await server.listen({ host: '127.0.0.1', port: 0 }))
