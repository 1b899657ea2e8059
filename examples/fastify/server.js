import Fastify from 'fastify'
import { open } from 'perfdb/runtime'

// One object for all tenants: its pools hold no more connections than app.pools.yaml gives this process.
const app = await open({ file: new URL('app.pools.yaml', import.meta.url).pathname, service: 'api' })
const fastify = Fastify()

// Whoever is in front of it says who the user is.
fastify.addHook('onRequest', async (request, reply) => {
  if (!request.url.startsWith('/orders')) return
  request.tenant = await app.tenant(request.headers['x-user'] ?? '')
  if (request.tenant === undefined) await reply.code(403).send({ error: 'no tenant' })
})

fastify.get('/orders', async ({ tenant }) => tenant.sql`select id, total from orders order by id desc limit 20`)

fastify.post('/orders', async ({ tenant, body, headers }, reply) => {
  const [order] = await tenant.sql`insert into orders (total) values (${body.total}) returning id, total`
  // In the queue, and not yet in the table: the request does not wait for it.
  await app.audit.write({ actor: headers['x-user'], what: { order: order.id, role: tenant.row.role } })
  return reply.code(201).send(order)
})

fastify.get('/health', async (_request, reply) => {
  const health = app.health()
  return reply.code(health.status === 'critical' ? 503 : 200).send(health)
})

fastify.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(app.metrics()))

// What waits for a connection in vain is no fault of the request.
fastify.setErrorHandler(async (error, _request, reply) => {
  const busy = error.code === 'POOL_TIMEOUT' || error.code === 'AUDIT_FULL'
  return reply.code(busy ? 503 : (error.statusCode ?? 500)).send({ error: error.code ?? 'INTERNAL' })
})

async function stop() {
  await fastify.close()
  await app.close({ deadline_ms: 10_000 })
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop())

process.stdout.write(`${await fastify.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}\n`)
