import { writeFile } from 'node:fs/promises'
import { PerfdbError } from '../../errors.js'
import type { Counters, CountersSnapshot } from '../../measure/activity/counters.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { Session } from '../../server/session/session.js'
import { countersMomentSql, countersSql, countsSinceSql } from '../../sql/statements/counters.js'
import { systemIdentifierSql } from '../../sql/catalog/server-slots.js'
import { z } from '../../yaml/schema.js'
import { statementsSchema } from './explain-top.js'
import { perfdbVersion } from '../../result/version.js'

const snapshotSchema = z.strictObject({
  version: z.literal(1),
  perfdb: z.string(),
  server: z.string(),
  /** Of pg_control_system(); null where that is not allowed. */
  system: z.string().nullable(),
  database: z.string(),
  dbid: z.string(),
  taken_at: z.string(),
  started_at: z.string(),
  stats_reset: z.string().nullable(),
  deallocated: z.number(),
  statements: z.array(
    z.strictObject({
      queryid: z.string(),
      userid: z.string(),
      calls: z.number(),
      rows: z.number(),
      total_ms: z.number(),
      blocks: z.number(),
      since: z.string().nullable(),
    }),
  ),
})

/** The counters of pg_stat_statements for one database at one moment; no texts, as those may hold secrets. */
export type StatementsSnapshot = z.infer<typeof snapshotSchema>

/** Reads the counters as they are now. Throws NO_EXTENSION and the server's errors. */
export async function takeSnapshot(session: Session): Promise<StatementsSnapshot> {
  const schema = await statementsSchema(session)
  const since = await session.query(countsSinceSql(schema))
  const [identity] = await session.query<{ readonly system: string }>(systemIdentifierSql).catch(() => [])
  const [moment] = await session.query<
    Omit<CountersSnapshot, 'statements'> & Pick<StatementsSnapshot, 'database' | 'dbid'>
  >(countersMomentSql(schema))
  if (moment === undefined) throw new PerfdbError('QUERY_FAILED', 'pg_stat_statements_info has no row')
  const statements = await session.query<Counters>(countersSql(schema, since.length > 0))
  return {
    version: 1,
    perfdb: perfdbVersion(),
    server: session.version,
    system: identity?.system ?? null,
    ...moment,
    statements: statements.map((one) => ({ ...one })),
  }
}

/** One entry a line. */
export async function saveSnapshot(file: string, { statements, ...head }: StatementsSnapshot): Promise<void> {
  const lines = statements.map((one) => `  ${JSON.stringify(one)}`).join(',\n')
  const start = JSON.stringify(head, null, 1).replace(/\n}$/, '')
  await writeFile(file, `${start},\n "statements": [\n${lines}\n]}\n`)
}

/** Throws what readNamedFile throws, and BAD_VALUE for what is no snapshot. */
export async function readSnapshot(file: string, cwd: string): Promise<StatementsSnapshot> {
  const text = await readNamedFile(file, cwd, `perfdb explain --save-snapshot ${file} writes one`)
  const read = snapshotSchema.safeParse(parsed(text))
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new PerfdbError('BAD_VALUE', `${file} is no snapshot of pg_stat_statements`, {
    detail: issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`,
    hint: `perfdb explain --save-snapshot ${file} writes one`,
  })
}

/** Throws BAD_VALUE for a snapshot of another server or database: its counters mean nothing here. */
export function assertSameDatabase(before: StatementsSnapshot, now: StatementsSnapshot): void {
  const other = before.system !== null && now.system !== null && before.system !== now.system
  if (!other && before.dbid === now.dbid && before.database === now.database) return
  throw new PerfdbError(
    'BAD_VALUE',
    other
      ? 'the snapshot was taken on another server'
      : `the snapshot was taken of the database ${before.database} (oid ${before.dbid}), this is ${now.database} (oid ${now.dbid})`,
    { hint: 'take one here: perfdb explain --save-snapshot FILE' },
  )
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
