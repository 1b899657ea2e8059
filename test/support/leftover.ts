import type postgres from 'postgres'
import { until } from './slow.js'

/** valid/ready/live of an index, as `f/t/t`; undefined when there is none of that name. */
export async function flags(sql: postgres.Sql, name: string): Promise<string | undefined> {
  const [row] = await sql<{ flags: string }[]>`
    select concat_ws('/', i.indisvalid::text::char, i.indisready::text::char, i.indislive::text::char) as flags
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = ${name}`
  return row?.flags
}

/** Somebody whose transaction is open until disposed: their statements are run when it begins. */
export async function openTransaction(sql: postgres.Sql, ...statements: readonly string[]): Promise<Open> {
  const connection = await sql.reserve()
  const [row] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`
  // By the simple protocol: the extended one leaves a portal open in the transaction, and with it a snapshot.
  for (const statement of statements) await connection.unsafe(statement)
  let open = true
  const end = async () => {
    if (!open) return
    open = false
    await connection`rollback`.catch(() => undefined)
    connection.release()
  }
  const run = async (statement: string) => void (await connection.unsafe(statement))
  return { pid: row?.pid ?? 0, run, end, [Symbol.asyncDispose]: end }
}

export interface Open extends AsyncDisposable {
  readonly pid: number
  run(statement: string): Promise<void>
  /** Rolls back what is open, and gives the connection back. */
  end(): Promise<void>
}

/** begin, then something that a concurrent build waits for before it scans the table. */
export function writer(sql: postgres.Sql, insert: string): Promise<Open> {
  return openTransaction(sql, 'begin', insert)
}

/** begin, then a snapshot that a concurrent build waits for at its end, and a concurrent drop does not. */
export function snapshot(sql: postgres.Sql): Promise<Open> {
  return openTransaction(sql, 'begin isolation level repeatable read', 'select 1')
}

/** A build that failed before it was done: f/f/t. `insert` is a row for the table. */
export async function notReady(sql: postgres.Sql, create: string, insert: string): Promise<void> {
  await using _ = await writer(sql, insert)
  await failing(sql, create)
}

/** A build that failed at its very end: f/t/t. A unique one still rejects rows (fault 8). */
export async function notValid(sql: postgres.Sql, create: string): Promise<void> {
  await using _ = await snapshot(sql)
  await failing(sql, create)
}

/** A concurrent drop that was cancelled in its second wait: f/f/f (fault 31). */
export async function notLive(sql: postgres.Sql, name: string, table: string): Promise<void> {
  const dropper = await sql.reserve()
  try {
    const [row] = await dropper<{ pid: number }[]>`select pg_backend_pid() as pid`
    const pid = row?.pid ?? 0
    const waitsFor = async (other: number) =>
      (await sql`select 1 where ${other} = any (pg_blocking_pids(${pid}))`).length > 0
    await using first = await openTransaction(sql, 'begin', `select 1 from ${table} limit 1`)
    const dropped = dropper.unsafe(`drop index concurrently ${name}`).then(
      () => 'dropped',
      () => 'failed',
    )
    await until('the drop waits', () => waitsFor(first.pid))
    await using second = await openTransaction(sql, 'begin', `select 1 from ${table} limit 1`)
    await first.end()
    await until('the drop waits again', () => waitsFor(second.pid))
    await sql`select pg_cancel_backend(${pid})`
    await dropped
  } finally {
    dropper.release()
  }
}

async function failing(sql: postgres.Sql, statement: string): Promise<void> {
  const connection = await sql.reserve()
  try {
    await connection`set lock_timeout = '100ms'`
    await connection.unsafe(statement).then(
      () => {
        throw new Error(`was to fail: ${statement}`)
      },
      () => undefined,
    )
    await connection`set lock_timeout = 0`
  } finally {
    connection.release()
  }
}
