import type { Definition, TableName } from '../../definition/definition.js'
import { isCutAtComma, isExpressionText, keyAsMap } from '../../definition/key-text.js'
import type { ErrorCode, PerfdbError, Problem } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { nearest } from '../../text/nearest.js'

/* What to write instead of a definition that PostgreSQL refused. */

/** PostgreSQL's own words, at the declaration's place, about the real table instead of its copy (`original`). */
export async function refusedDeclaration(
  session: Session,
  reason: PerfdbError,
  { definition, place }: DeclaredIndex,
  original: (text: string) => string,
): Promise<Problem> {
  return {
    code: refusalCode(reason),
    message: `${definition.name} on ${definition.table.schema}.${definition.table.name}: ${original(reason.message)}`,
    detail: reason.detail === undefined ? undefined : original(reason.detail),
    sqlstate: reason.sqlstate,
    place,
    hint: refusalHint(reason, definition, await columnsFor(reason, session, definition.table)),
  }
}

/** The code of a refused definition, by its SQLSTATE. */
export function refusalCode({ sqlstate }: PerfdbError): ErrorCode {
  return sqlstate === '42703' ? 'NO_COLUMN' : sqlstate === '3F000' ? 'NO_SCHEMA' : 'BAD_DEFINITION'
}

/** The columns of a table, for a refusal that names one it does not have; empty for any other. */
export async function columnsFor(
  { sqlstate }: PerfdbError,
  session: Session,
  { schema, name }: TableName,
): Promise<readonly string[]> {
  if (sqlstate !== '42703') return []
  const rows = await session.query<{ name: string }>(
    `select a.attname as name from pg_catalog.pg_attribute a
     join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [schema, name],
  )
  return rows.map((row) => row.name)
}

/** What to write instead; undefined where PostgreSQL's own words say all that is known. */
export function refusalHint(
  reason: PerfdbError,
  definition: Definition,
  columns: readonly string[],
): string | undefined {
  switch (reason.sqlstate ?? '') {
    case '42703':
      return columnHint(/["«»„“]([^"«»„“]+)["«»„“]/.exec(reason.message)?.[1], definition, columns)
    case '42601':
      return syntaxHint(definition)
    case '42P17':
      return mutableHint(definition)
    default:
      return opclassHint(reason, definition)
  }
}

function columnHint(
  missing: string | undefined,
  { keys, predicate = '' }: Definition,
  columns: readonly string[],
): string | undefined {
  const known = columns.length === 0 || columns.length > 12 ? '' : `; its columns: ${columns.join(', ')}`
  if (missing === undefined) return known === '' ? undefined : known.slice(2)
  const key = keys.find(({ column }) => column === missing)
  const map = key === undefined ? undefined : keyAsMap(missing)
  if (map !== undefined && !isExpressionText(missing)) return `write the key as ${map}`
  const near = nearest(missing, columns)
  if (near !== undefined) return `did you mean "${near}"?`
  const quoted = withQuotes(missing, predicate)
  if (quoted !== undefined) return `a text is written in single quotes: where: ${quoted}`
  if (key !== undefined && /\W/.test(missing)) return `an expression is written as { expression: ... }${known}`
  return known === '' ? undefined : `check the name${known}`
}

/** The predicate with the word quoted, where it is compared with something; undefined where it is not. */
function withQuotes(word: string, predicate: string): string | undefined {
  const escaped = word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const compared = new RegExp(String.raw`((?:[=<>~]|\blike|\bin\s*\(|,)\s*)(${escaped})(?![\w(.'])`, 'i').exec(
    predicate,
  )
  if (compared === null) return undefined
  // Of a list every bare word is one.
  const list = /\bin\s*\(([^()']*)\)/i.exec(predicate)
  if (list !== null && list[1]?.includes(word) === true) {
    const items = list[1].split(',').map((item) => (/^\s*[a-z_]\w*\s*$/i.test(item) ? `'${item.trim()}'` : item.trim()))
    return predicate.replace(list[0], () => `in (${items.join(', ')})`)
  }
  const [whole, before = ''] = compared
  return predicate.replace(whole, () => `${before}'${word}'`)
}

function syntaxHint({ keys }: Definition): string | undefined {
  const texts = keys.map(({ column, expression }) => expression ?? column ?? '')
  const map = texts.map(keyAsMap).find((one) => one !== undefined)
  if (map !== undefined) return `write the key as ${map}`
  if (keys.some(isCutAtComma))
    return `in a list [ ... ] a comma ends the key: put an expression with a comma in quotes: keys: ["coalesce(a, b)"]`
  return undefined
}

const mutable: readonly (readonly [RegExp, string])[] = [
  [
    /\b(now|current_date|current_timestamp|current_time|localtime|localtimestamp|clock_timestamp|statement_timestamp)\b/i,
    "an index cannot move with time: leave the condition out, index the column, and compare it in the query (created_at > now() - interval '7 days')",
  ],
  [
    /\b(date|date_trunc|date_part|extract|timezone)\s*\(|::\s*(date|time|timestamp)\b|\bcast\s*\(/i,
    "of a timestamptz this depends on the session's time zone: name one, as in date(created_at at time zone 'UTC'), and write the query the same way; or index the column and ask for a range (created_at >= '2026-01-01' and created_at < '2026-01-02')",
  ],
  [
    /\bto_(char|date|timestamp|number|tsvector)\s*\(/i,
    "it depends on settings of the session: to_tsvector takes its configuration first (to_tsvector('english', body)); instead of to_char index the column and ask for a range",
  ],
  [
    /\b(unaccent|concat|concat_ws|format|age|array_to_string|string_agg)\s*\(/i,
    'put it in a function of your own that is declared immutable, and is so (create function ... immutable), or write || instead of concat',
  ],
]

function mutableHint({ keys, predicate = '' }: Definition): string {
  const texts = [...keys.map(({ expression }) => expression ?? ''), predicate]
  const found = mutable.find(([pattern]) => texts.some((text) => pattern.test(text)))
  const law = 'functions in an index must be declared IMMUTABLE'
  return found === undefined ? `${law}: \\df+ in psql shows what a function is declared as` : `${law}; ${found[1]}`
}

function opclassHint(reason: PerfdbError, { keys }: Definition): string | undefined {
  const opclass = keys.find(
    (key) => key.opclass !== undefined && reason.message.includes(`"${key.opclass.split('.').at(-1) ?? ''}"`),
  )?.opclass
  if (opclass === undefined) return undefined
  if (/trgm/.test(opclass))
    return `the opclass comes with the extension pg_trgm: create extension pg_trgm; installed in another schema it is written schema.${opclass}`
  return 'list the opclasses of the access method: \\dAc in psql; one that an extension adds needs the extension, and its schema in front'
}
