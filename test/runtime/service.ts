import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { WrittenPools, WrittenService } from '../../src/pools/file/schema.js'
import type { Application, OpenOptions } from '../../src/runtime/open.js'
import { openWith } from '../../src/runtime/runtime.js'
import { testDatabase, type TestDatabase } from '../support/database.js'

/** A database with tenants that are schemas, their users, and a role whose CONNECTION LIMIT is what one process may hold. */
export interface Deployment extends AsyncDisposable {
  readonly db: TestDatabase
  readonly role: string
  readonly url: string
  readonly file: WrittenPools
  open(options?: Partial<OpenOptions>): Promise<Application>
}

export interface EstateOptions {
  readonly tenants?: number
  /** The server itself refuses one connection more. */
  readonly limit: number
  readonly service: Partial<WrittenService>
  /** null: no channel. */
  readonly notify?: string | null
}

export async function deployment({
  tenants = 3,
  limit,
  service,
  notify = 'tenant_changed',
}: EstateOptions): Promise<Deployment> {
  const role = `r_${randomBytes(6).toString('hex')}`
  const db = await testDatabase(`
    create table tenants (id text primary key, schema text);
    create table user_accounts (user_id text primary key, tenant_id text, role text not null default 'reader');
    create table audit_log (id uuid primary key default gen_random_uuid(), actor text, at bigint, what jsonb, seq bigserial);
    insert into tenants select 't' || n, 's' || n from generate_series(1, ${tenants}) n;
    insert into user_accounts select 'u' || n, 't' || n from generate_series(1, ${tenants}) n;
    ${Array.from({ length: tenants }, (_, at) => `create schema s${at + 1}; create table s${at + 1}.mine as select ${at + 1} as number;`).join('\n')}
    create role ${role} login password 'secret-of-${role}' connection limit ${limit};
    grant select on all tables in schema public to ${role};
    grant insert on audit_log to ${role};
    grant usage on sequence audit_log_seq_seq to ${role};
    ${Array.from({ length: tenants }, (_, at) => `grant usage on schema s${at + 1} to ${role}; grant select on s${at + 1}.mine to ${role};`).join('\n')}
  `)
  const url = new URL(db.url)
  url.username = role
  url.password = `secret-of-${role}`
  const file: WrittenPools = {
    version: 1,
    servers: { main: { url: '${URL}' } },
    tenants: [
      {
        registry: { url: '${URL}', sql: 'select id, schema from tenants', server: 'main' },
        lookup: 'select tenant_id, role from user_accounts where user_id = $1',
        ...(notify !== null && { notify }),
      },
    ],
    services: {
      api: {
        application_name: role,
        runtime: { kind: 'node' },
        ...service,
        pool: { driver: 'postgres.js', acquire_timeout: '20s', ...service.pool },
      },
    },
  }
  return {
    db,
    role,
    url: url.href,
    file,
    open: async (options = {}) =>
      openWith(postgres, { file, service: 'api', environment: { URL: url.href }, ...options }),
    async [Symbol.asyncDispose]() {
      const sql = postgres(db.url, { max: 1, onnotice: () => undefined })
      await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = ${role}`
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`)
      await sql.end()
      await db[Symbol.asyncDispose]()
    },
  }
}

/** Looks at the server without a pause until it is stopped: the highest number of backends of a role that it saw. */
export function watchBackends(db: TestDatabase, role: string): { stop(): Promise<{ most: number; looks: number }> } {
  let watching = true
  const seen = (async () => {
    const sql = postgres(db.url, { max: 1 })
    let [most, looks] = [0, 0]
    while (watching) {
      const [row] = await sql`select count(*)::int as n from pg_stat_activity where usename = ${role}`
      most = Math.max(most, Number(row?.['n']))
      looks += 1
    }
    await sql.end()
    return { most, looks }
  })()
  return {
    async stop() {
      watching = false
      return seen
    },
  }
}

/** Backends of a role now. */
export async function backends(db: TestDatabase, role: string): Promise<number> {
  const [row] = await db.sql`select count(*)::int as n from pg_stat_activity where usename = ${role}`
  return Number(row?.['n'])
}
