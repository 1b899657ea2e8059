import { PerfdbError } from '../../errors.js'
import { catalogColumns } from '../../sql/catalog/columns.js'

/** A major of PostgreSQL that perfdb is tested on. */
export interface Major {
  readonly major: number
  /** Day of its last release: https://www.postgresql.org/support/versioning/ */
  readonly lastRelease: string
  /** From this minor on ATTACH PARTITION of what is attached looks whether the parent is valid by now (fault 37). */
  readonly looksAgainFrom: number
}

export const majors: readonly [Major, ...Major[]] = [
  { major: 14, lastRelease: '2026-11-12', looksAgainFrom: 23 },
  { major: 15, lastRelease: '2027-11-11', looksAgainFrom: 18 },
  { major: 16, lastRelease: '2028-11-09', looksAgainFrom: 14 },
  { major: 17, lastRelease: '2029-11-08', looksAgainFrom: 10 },
  { major: 18, lastRelease: '2030-11-14', looksAgainFrom: 4 },
]

const first = majors[0].major
const last = majors.at(-1)?.major ?? first

/** `14 to 18` */
export const knownMajors = `${first} to ${last}`

/** Of server_version_num: 180004 is 18. */
export function majorOf(versionNum: number): number {
  return Math.floor(versionNum / 10_000)
}

export function isTooOld(versionNum: number): boolean {
  return majorOf(versionNum) < first
}

/** ATTACH PARTITION of what is attached already looks at the parent again. */
export function looksAgain(versionNum: number): boolean {
  const known = majors.find(({ major }) => major === majorOf(versionNum))
  return known === undefined ? majorOf(versionNum) > last : versionNum % 10_000 >= known.looksAgainFrom
}

/** What to say of a major that came after this perfdb; null for one that it knows. */
export function laterMajor(versionNum: number): string | null {
  const major = majorOf(versionNum)
  if (major <= last) return null
  return `PostgreSQL ${major} is later than this perfdb, which is tested on ${knownMajors}: the columns of the catalog that it reads are there, and what is new it does not know`
}

/** One sentence once a major has had its last release; nothing before. */
export function endedNote(versionNum: number, now: Date): readonly string[] {
  const major = majors.find((one) => one.major === majorOf(versionNum))
  if (major === undefined || now.toISOString().slice(0, 10) <= major.lastRelease) return []
  return [
    `PostgreSQL ${major.major} reached its end of life on ${major.lastRelease} and gets no more fixes: move to a later major`,
  ]
}

/**
 * Asked once, when a session begins on a later major: a column that is gone would end some statement with 42703 half-way. Throws SERVER_TOO_NEW, which
 * names what is missing.
 */
export async function assertReadable(
  query: <Row>(text: string, parameters: readonly string[]) => Promise<Row[]>,
  label: string,
  columns = catalogColumns,
): Promise<void> {
  const wanted = Object.entries(columns).flatMap(([relation, names]) => names.map((column) => ({ relation, column })))
  const missing = await query<{ name: string }>(missingSql, [JSON.stringify(wanted)])
  if (missing.length === 0) return
  throw new PerfdbError(
    'SERVER_TOO_NEW',
    `${label} is a later major of PostgreSQL than this perfdb knows (${knownMajors}), and lacks what it reads: ${missing.map(({ name }) => name).join(', ')}`,
  )
}

const missingSql = `select w.relation || '.' || w."column" as name
  from pg_catalog.json_to_recordset($1::pg_catalog.json) as w(relation pg_catalog.text, "column" pg_catalog.text)
  where not exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) a.attrelid
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    where n.nspname operator(pg_catalog.=) 'pg_catalog' and c.relname::pg_catalog.text operator(pg_catalog.=) w.relation
      and a.attname::pg_catalog.text operator(pg_catalog.=) w."column" and not a.attisdropped)
  order by 1 limit 20`
