import { PerfdbError } from '../../errors.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { singleStatement } from '../../sql/parser/parser.js'
import { readingStatement } from '../../sql/parser/reading.js'
import { several } from '../../text/amounts.js'
import { refuseForeignCode } from './refusals.js'
import type { RequestPart } from './requests.js'

export interface Mix {
  readonly shares: readonly { readonly query: string; readonly share: number }[]
  readonly parts: readonly RequestPart[]
  readonly texts: readonly string[]
  /** Those of its queries that change or lock data. */
  readonly writes: readonly string[]
}

export interface MixOptions {
  /** Queries by name, each so often against the others; all by their own weight when left out. */
  readonly mix: readonly { readonly query: string; readonly weight: number }[] | undefined
  /** Instead of its own values a query has the rows of these statements. */
  readonly params: readonly { readonly query: string; readonly sql: string }[]
  /** Queries that change data are sent too, and each commits. */
  readonly allowWrites: boolean
}

/**
 * What is sent: the queries of `mix`, else all, each as often as its weight says, 1 when left out. Throws BAD_OPTION for a query that is not there and where all
 * weights are 0, BAD_VALUE for one without values for its parameters, HAZARD for one that changes data and may not, BAD_SQL for what is no query.
 */
export async function makeMix(
  look: Session,
  queries: readonly Query[],
  { mix, params, allowWrites }: MixOptions,
): Promise<Mix> {
  const chosen =
    mix === undefined ? queries.map((query) => ({ query, weight: query.weight ?? 1 })) : chosenBy(queries, mix)
  const parts: RequestPart[] = []
  const writes: string[] = []
  // One after the other: a session has one transaction at a time.
  for (const { query, weight } of chosen) {
    const from = params.find((one) => one.query === query.name)
    const sets = from === undefined ? undefined : await valuesOf(look, query, from.sql)
    const { sql, values, reads } = await sendable(query, sets, allowWrites)
    parts.push({ query: query.name, weight, sql, sets: values })
    if (!reads) writes.push(query.name)
  }
  const sum = chosen.reduce((all, { weight }) => all + weight, 0)
  if (sum === 0)
    throw new PerfdbError('BAD_OPTION', chosen.length === 0 ? 'there is no query to send' : 'all weights are 0', {
      hint: 'declare queries in the profile, or --mix NAME=1',
    })
  return {
    shares: chosen.map(({ query, weight }) => ({ query: query.name, share: weight / sum })),
    parts,
    texts: parts.map(({ sql }) => sql),
    writes,
  }
}

function chosenBy(
  queries: readonly Query[],
  mix: NonNullable<MixOptions['mix']>,
): readonly { readonly query: Query; readonly weight: number }[] {
  return mix.map(({ query: name, weight }) => {
    const query = queries.find((one) => one.name === name)
    if (query !== undefined) return { query, weight }
    throw new PerfdbError('BAD_OPTION', `no query ${name} to send`, {
      hint: `declared: ${queries.map((one) => one.name).join(', ')}`,
    })
  })
}

/** So many rows of a statement are values enough. */
const mostRows = 10_000

async function valuesOf(look: Session, query: Query, sql: string): Promise<readonly ParameterSet[]> {
  const { name, place } = query
  await readingStatement(sql).catch(named(`params of ${name}`, place))
  await refuseForeignCode(look, [sql])
  const path = look.defaultSearchPath
  const settings = { readOnly: true, statementTimeoutMs: 30_000, set: { search_path: path } }
  const rows = await look.rolledBack(settings, async () => look.query<Readonly<Record<string, unknown>>>(sql))
  if (rows.length === 0)
    throw new PerfdbError('BAD_VALUE', `params of ${name}: the query returns no rows`, {
      hint: 'load.params: a query that finds values, such as ids that there are',
      place,
    })
  return rows.slice(0, mostRows).map((row, at) => ({ name: String(at), values: Object.values(row).map(valueText) }))
}

/** A value of a row as PostgreSQL reads it back. */
function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return parameterText(value.map((one) => valueText(one) ?? ''))
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Its text and the sets of its values; `reads` when it changes nothing. Throws what makeMix throws. */
async function sendable(
  query: Query,
  sets: readonly ParameterSet[] | undefined,
  allowWrites: boolean,
): Promise<{ readonly sql: string; readonly values: RequestPart['sets']; readonly reads: boolean }> {
  const { name, sql, place } = query
  const parameters = sets ?? query.parameters
  if (sql === undefined)
    throw new PerfdbError('BAD_VALUE', `${name} has variants and no sql of its own`, {
      hint: '--mix with the others',
      place,
    })
  const { parameterCount: wanted, reads } = await allowedStatement(query, sql, allowWrites)
  const other = parameters.find(({ values }) => values.length !== wanted)
  if (other !== undefined)
    throw new PerfdbError(
      'BAD_VALUE',
      `${name}: ${several(other.values.length, 'value')} for ${several(wanted, 'parameter')}`,
      {
        hint:
          sets === undefined
            ? 'params of the query: a list of values, or named lists'
            : 'load.params: one column for each parameter, each with a name of its own',
        place,
      },
    )
  if (parameters.length > 0) return { sql, values: parameters.map(({ values }) => values), reads }
  if (wanted === 0) return { sql, values: [[]], reads }
  throw new PerfdbError('BAD_VALUE', `${name} has no values for $1${wanted > 1 ? ` to $${wanted}` : ''}`, {
    hint: 'params: [...] of the query',
    place,
  })
}

/** Whether it only reads. Throws HAZARD, with the name of the query, for what changes data and may not, BAD_SQL for what is no query. */
async function allowedStatement(
  { name, place }: Query,
  sql: string,
  allowWrites: boolean,
): Promise<{ readonly parameterCount: number; readonly reads: boolean }> {
  const { kind, description, parameterCount } = await singleStatement(sql).catch(named(name, place))
  if (kind === 'read' || (kind === 'write' && allowWrites)) return { parameterCount, reads: kind === 'read' }
  if (kind === 'write')
    throw new PerfdbError('HAZARD', `WRITE_QUERY: ${name}: ${description} changes or locks data, thousands of times`, {
      hint: '--mix with the others; or --allow WRITE_QUERY, where that may be: each is committed',
      place,
    })
  throw new PerfdbError('BAD_SQL', `${name}: ${description} is not a query`, { hint: '--mix with the others', place })
}

/** Rethrows an error of a text with the name of its query. */
function named(name: string, place: Query['place']) {
  return (error: unknown): never => {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail, hint } = error
    throw new PerfdbError(code, `${name}: ${message}`, { detail, hint, place })
  }
}
