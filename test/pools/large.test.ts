import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { deployment, instances, pool, server, service, tenant } from './builders.js'

/* A row for each tenant of each service took seven minutes here. */
test('10 000 tenants in 200 services on 50 servers', async () => {
  const at = (index: number) => `s${index % 50}`
  const written = deployment({
    servers: Array.from({ length: 50 }, (_, index) =>
      server({ name: at(index), maxConnections: 500, roles: { app_t7: { kind: 'ordinary', connectionLimit: 5 } } }),
    ),
    tenants: Array.from({ length: 10_000 }, (_, index) => tenant(`t${index}`, { server: at(index) })),
    services: Array.from({ length: 200 }, (_, index) =>
      service({
        name: `svc${index}`,
        server: index < 100 ? null : at(index),
        instances: instances(2),
        pool: pool({ max: 3, perTenant: index < 100 }),
      }),
    ),
  })
  const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
    offline: true,
    failOn: 'fail',
    environment: {},
  })
  // 100 services x 2 instances x 200 tenants x 3, and 2 services of the server's own x 2 x 3.
  expect(result.servers).toHaveLength(50)
  expect(result.servers.every((one) => one.declared.peak === 120_012)).toBe(true)
  expect(result.servers[0]?.services[0]?.sum).toBe('2 instances x 200 tenants x pool 3 = 1200')
  // One service stands for the others that a rule misleads in the same way.
  expect(result.findings.length).toBeLessThan(50 * 4)
  expect(result.findings.find((one) => one.code === 'ROLE_LIMIT')?.message).toContain(
    'svc0, svc1, svc2 and 97 more need 600',
  )
  // One tenant has 100 services x 2 x 3 connections.
  expect(result.servers[7]?.limits).toMatchObject([{ name: 'app_t7', limit: 5, peak: 600 }])
})
