import { PerfdbError } from '../../errors.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import { loadRequest, type LoadRequest } from '../../server/load-connection.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { readingStatement } from '../../sql/parser/reading.js'
import { several } from '../../text/amounts.js'
import { refuseForeignCode } from './refusals.js'

export interface Mix {
  readonly shares: readonly { readonly query: string; readonly share: number }[]
  /** A request of one of its queries, by share, with one of its sets of values, by turns. */
  readonly next: () => LoadRequest
  readonly texts: readonly string[]
}

export interface MixOptions {
  /** Queries by name, each so often against the others; all by their own weight when left out. */
  readonly mix: readonly { readonly query: string; readonly weight: number }[] | undefined
  /** Instead of its own values a query has the rows of these statements. */
  readonly params: readonly { readonly query: string; readonly sql: string }[]
}

/**
 * What is sent: the queries of `mix`, else all, each as often as its weight says, 1 when left out. Throws BAD_OPTION for a query that is not there and where all
 * weights are 0, BAD_VALUE for one without values for its parameters, BAD_SQL for one that does not only read.
 */
export async function makeMix(
  look: Session,
  queries: readonly Query[],
  { mix, params }: MixOptions,
  random: () => number,
): Promise<Mix> {
  const chosen =
    mix === undefined ? queries.map((query) => ({ query, weight: query.weight ?? 1 })) : named(queries, mix)
  const parts: { readonly weight: number; readonly requests: readonly LoadRequest[] }[] = []
  // One after the other: a session has one transaction at a time.
  for (const [number, { query, weight }] of chosen.entries()) {
    const from = params.find((one) => one.query === query.name)
    const sets = from === undefined ? undefined : await valuesOf(look, query, from.sql)
    parts.push({ weight, requests: await requestsOf(query, sets, number) })
  }
  const sum = chosen.reduce((all, { weight }) => all + weight, 0)
  if (sum === 0)
    throw new PerfdbError('BAD_OPTION', chosen.length === 0 ? 'there is no query to send' : 'all weights are 0', {
      hint: 'declare queries in the profile, or --mix NAME=1',
    })
  const turns = parts.map(() => 0)
  return {
    shares: chosen.map(({ query, weight }) => ({ query: query.name, share: weight / sum })),
    texts: chosen.flatMap(({ query }) => query.sql ?? []),
    next() {
      let left = random() * sum
      const found = parts.findIndex(({ weight }) => (left -= weight) < 0)
      const at = found < 0 ? parts.length - 1 : found
      const requests = parts[at]?.requests ?? []
      const turn = turns[at] ?? 0
      turns[at] = turn + 1
      const request = requests[turn % requests.length]
      if (request === undefined) throw new PerfdbError('INTERNAL', 'a mix without requests')
      return request
    },
  }
}

function named(
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
  await readingOnly({ ...query, name: `params of ${name}` }, sql)
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

async function requestsOf(
  query: Query,
  sets: readonly ParameterSet[] | undefined,
  number: number,
): Promise<readonly LoadRequest[]> {
  const { name, sql, place } = query
  const parameters = sets ?? query.parameters
  if (sql === undefined)
    throw new PerfdbError('BAD_VALUE', `${name} has variants and no sql of its own`, {
      hint: '--mix with the others',
      place,
    })
  const wanted = await readingOnly(query, sql)
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
  if (parameters.length > 0) return parameters.map(({ values }) => loadRequest(number, sql, values))
  if (wanted === 0) return [loadRequest(number, sql, [])]
  throw new PerfdbError('BAD_VALUE', `${name} has no values for $1${wanted > 1 ? ` to $${wanted}` : ''}`, {
    hint: 'params: [...] of the query',
    place,
  })
}

/** How many parameters it has. Throws BAD_SQL, with the name of the query, for what does not only read. */
async function readingOnly({ name, place }: Query, sql: string): Promise<number> {
  try {
    return (await readingStatement(sql)).parameterCount
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail } = error
    throw new PerfdbError(code, `${name}: ${message}`, {
      detail,
      hint: 'load sends only what reads: --mix with the others',
      place,
    })
  }
}
