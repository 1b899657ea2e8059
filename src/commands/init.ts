import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PerfdbError } from '../errors.js'
import type { InitResult } from './init-result.js'
import { perfdbVersion } from './version.js'

/**
 * Writes a first configuration, profile and pools file with comments. Throws FILE_EXISTS, before anything is written, when one of them is
 * there already.
 */
export async function runInit(cwd: string): Promise<InitResult> {
  const files = [...firstFiles]
  for (const [name] of files) {
    const there = await access(join(cwd, name)).then(
      () => true,
      () => false,
    )
    if (there) throw new PerfdbError('FILE_EXISTS', `${name} is there already: nothing was written`)
  }
  for (const [name, text] of files) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text, { flag: 'wx' })
  }
  return { perfdb: perfdbVersion(), ok: true, exit_code: 0, command: 'init', files: files.map(([name]) => name) }
}

/** Name and content; a test reads them all with perfdb's own readers. */
export const firstFiles: ReadonlyMap<string, string> = new Map([
  [
    'perfdb.yaml',
    `# What perfdb uses when nothing is named on the command line. A flag beats the environment, which beats this file.
version: 1
profiles: [perfdb/indexes.yaml]
pools: [perfdb/app.pools.yaml]
# url: \${DATABASE_URL}        # never a literal password: take it from the environment or .pgpass
# allow: [REDUNDANT]          # hazards that need no --allow
`,
  ],
  [
    'perfdb/indexes.yaml',
    `# yaml-language-server: $schema=../node_modules/perfdb/profiles/profile.schema.json
# Indexes that this database must have, and the queries that justify them.
# perfdb plan: what would be done, and why
# perfdb apply: builds concurrently, measures before and after
# perfdb verify: exit 1 when anything is missing, invalid or different
version: 1
profile: app
schema: public
indexes: []
#  - name: idx_orders_customer_created_at
#    table: orders
#    keys: [customer_id, { column: created_at, order: desc }]
#    for: [orders-of-customer]
#    why: the customer's page, newest first
queries: []
#  - name: orders-of-customer
#    sql: select * from orders where customer_id = $1 order by created_at desc limit 20
#    params: { busy: [1], quiet: [99999] }
#    expect: { uses: [idx_orders_customer_created_at], speedup: 3 }
`,
  ],
  [
    'perfdb/app.pools.yaml',
    `# yaml-language-server: $schema=../node_modules/perfdb/profiles/pools.schema.json
# Who opens connections, against what the server leaves: perfdb check-pool --offline
version: 1
kind: pools
servers:
  main:
    max_connections: 100               # offline; the live value wins
services:
  app:
    server: main
    instances: { desired: 2, max: 4 }
    runtime: { kind: node, processes: 1 }
    pool: { driver: node-postgres, max: 10 }
    deploy: { strategy: rolling, max_surge: 25%, max_unavailable: 25% }
`,
  ],
])
