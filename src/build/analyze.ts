import { setTimeout as sleep } from 'node:timers/promises'
import { buildSearchPath } from '../catalog/probe.js'
import type { TableName } from '../definition/definition.js'
import { quoteQualified } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import type { Session } from '../server/session/session.js'
import { lastAnalyzeSql } from '../sql/catalog/progress.js'
import { interrupted, perfdbError } from './statement.js'

export interface Analyzed {
  readonly table: TableName
  readonly ok: boolean
  readonly durationMs: number
  readonly message: string | null
}

const tries = 30

/**
 * ANALYZE of each table, once, and the proof that it happened: a non-owner gets a warning and success (fault 27). Its
 * lock_timeout is below deadlock_timeout: queued for longer behind somebody's build it would end that build (faults 21, 22).
 */
export async function analyzeTables(
  session: Session,
  tables: readonly TableName[],
  signal: AbortSignal,
): Promise<readonly Analyzed[]> {
  const analyzed: Analyzed[] = []
  for (const table of tables) {
    const started = performance.now()
    const failure = signal.aborted
      ? 'not reached'
      : await analyze(session, table, signal).then(
          () => null,
          (error: unknown) => perfdbError(error).message,
        )
    analyzed.push({ table, ok: failure === null, durationMs: performance.now() - started, message: failure })
  }
  return analyzed
}

async function analyze(session: Session, table: TableName, signal: AbortSignal): Promise<void> {
  const before = await lastAnalyze(session, table)
  session.takeNotices()
  await withShortLock(session, table, signal)
  const warning = session.takeNotices().find((notice) => notice.severity === 'WARNING')
  if (warning !== undefined) throw new PerfdbError('PRIVILEGE', warning.message, { sqlstate: warning.code })
  // PostgreSQL 14 tells its statistics collector by a message that takes a moment.
  for (let look = 0; look < 20; look += 1) {
    const now = await lastAnalyze(session, table)
    if (now?.lastAnalyze !== before?.lastAnalyze || now?.hollow === true) return
    await sleep(150)
  }
  throw new PerfdbError(
    'QUERY_FAILED',
    `ANALYZE of ${table.schema}.${table.name} reported success, but pg_stat_all_tables.last_analyze did not move`,
  )
}

interface LastAnalyze {
  readonly lastAnalyze: string | null
  readonly hollow: boolean
}

async function lastAnalyze(session: Session, table: TableName): Promise<LastAnalyze | undefined> {
  const [row] = await session.query<LastAnalyze>(lastAnalyzeSql, [table.schema, table.name])
  return row
}

/** ANALYZE computes the expressions of indexes: before 17 with the search_path of the session, as CREATE INDEX did (fault 46). */
async function withShortLock(session: Session, { schema, name }: TableName, signal: AbortSignal): Promise<void> {
  const cancel = () => void session.cancel().catch(() => undefined)
  signal.addEventListener('abort', cancel)
  await session.query("set lock_timeout = '600ms'")
  await session.query(`set search_path = ${buildSearchPath(session, schema)}`)
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await session.query(`analyze ${quoteQualified(schema, name)}`)
        return
      } catch (error) {
        if (signal.aborted) throw interrupted()
        const passing = error instanceof PerfdbError && (error.sqlstate === '55P03' || error.sqlstate === '40P01')
        if (!passing || attempt >= tries) throw error
        await sleep(200 + Math.random() * 600)
      }
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    await session.query('set lock_timeout = 0').catch(() => undefined)
    await session.query('set search_path = pg_catalog').catch(() => undefined)
  }
}
