import { setTimeout as sleep } from 'node:timers/promises'
import { buildSearchPath } from '../../catalog/probe/probe.js'
import type { TableName } from '../../definition/definition.js'
import { quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { lastAnalyzeSql } from '../../sql/catalog/progress.js'
import { interrupted, perfdbError } from '../statement.js'

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
 * One statement a table: what the server says of them before and after, it says of all at once. Never throws.
 */
export async function analyzeTables(
  session: Session,
  tables: readonly TableName[],
  signal: AbortSignal,
): Promise<readonly Analyzed[]> {
  if (tables.length === 0) return []
  const before = await asked(async () => lastAnalyzes(session, tables))
  if (typeof before === 'string')
    return tables.map((table) => ({ table, ok: false, durationMs: 0, message: signal.aborted ? notReached : before }))
  const analyzed: Analyzed[] = []
  const cancel = () => void session.cancel().catch(() => undefined)
  signal.addEventListener('abort', cancel)
  // These travel with what comes next.
  const setting = (text: string) => void session.query(text).catch(() => undefined)
  setting("set lock_timeout = '600ms'")
  let path = ''
  for (const table of tables) {
    const started = performance.now()
    const wanted = buildSearchPath(session, table.schema)
    const failure = signal.aborted
      ? notReached
      : await asked(async () => {
          // It computes the expressions of indexes: before 17 with the search_path of the session, as CREATE INDEX did (fault 46).
          if (wanted !== path) await session.query(`set search_path = ${wanted}`)
          path = wanted
          await analyze(session, table, signal)
        })
    const message = failure ?? null
    analyzed.push({ table, ok: message === null, durationMs: performance.now() - started, message })
  }
  signal.removeEventListener('abort', cancel)
  setting('set lock_timeout = 0')
  setting('set search_path = pg_catalog')
  return proven(session, analyzed, before)
}

const notReached = 'not reached'

/** What the work gives, or the words of its failure. */
async function asked<T>(work: () => Promise<T>): Promise<T | string> {
  return work().catch((error: unknown) => perfdbError(error).message)
}

async function analyze(session: Session, { schema, name }: TableName, signal: AbortSignal): Promise<void> {
  session.takeNotices()
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.query(`analyze ${quoteQualified(schema, name)}`)
      break
    } catch (error) {
      if (signal.aborted) throw interrupted()
      const passing = error instanceof PerfdbError && (error.sqlstate === '55P03' || error.sqlstate === '40P01')
      if (!passing || attempt >= tries) throw error
      await sleep(200 + Math.random() * 600)
    }
  }
  const warning = session.takeNotices().find((notice) => notice.severity === 'WARNING')
  if (warning !== undefined) throw new PerfdbError('PRIVILEGE', warning.message, { sqlstate: warning.code })
}

/** Those that the server says nothing new of did not happen. PostgreSQL 14 tells its statistics collector by a message that takes a moment. */
async function proven(
  session: Session,
  analyzed: readonly Analyzed[],
  before: ReadonlyMap<string, LastAnalyze>,
): Promise<readonly Analyzed[]> {
  for (let look = 0; ; look += 1) {
    const done = analyzed.flatMap(({ ok, table }) => (ok ? [table] : []))
    const now = await asked(async () => lastAnalyzes(session, done))
    const why = ({ schema, name }: TableName): string | null => {
      if (typeof now === 'string') return now
      const [last, first] = [now, before].map((looked) => looked.get(JSON.stringify([schema, name])))
      if (last?.lastAnalyze !== first?.lastAnalyze || last?.hollow === true) return null
      return `ANALYZE of ${schema}.${name} reported success, but pg_stat_all_tables.last_analyze did not move`
    }
    if (typeof now === 'string' || look === 20 || done.every((table) => why(table) === null))
      return analyzed.map((one) => {
        const message = one.ok ? why(one.table) : one.message
        return { ...one, ok: message === null, message }
      })
    await sleep(150)
  }
}

interface LastAnalyze {
  readonly lastAnalyze: string | null
  readonly hollow: boolean
}

async function lastAnalyzes(session: Session, tables: readonly TableName[]): Promise<ReadonlyMap<string, LastAnalyze>> {
  const names = tables.map(({ schema, name }) => ({ schema, name }))
  const rows = await session.query<LastAnalyze & TableName>(lastAnalyzeSql, [JSON.stringify(names)])
  return new Map(rows.map((row) => [JSON.stringify([row.schema, row.name]), row]))
}
