import { PerfdbError } from '../../errors.js'
import type { Query } from '../../profile/profile.js'
import { readingStatement } from '../../sql/parser/reading.js'
import { several } from '../../text/amounts.js'
import type { Request } from './open-loop.js'

export interface Mix {
  readonly shares: readonly { readonly query: string; readonly share: number }[]
  /** A request of one of its queries, by share, with one of its sets of values, by turns. */
  readonly next: () => Request
  readonly texts: readonly string[]
}

/**
 * What is sent: the queries that `weights` names (`jobs-by-status=6`), else all, each as often as its `weight` says, 1 when left out. Throws BAD_OPTION for
 * a weight that is none and a query that is not there, BAD_VALUE for one without values for its parameters, BAD_SQL for one that does not only read.
 */
export async function makeMix(
  queries: readonly Query[],
  weights: readonly string[],
  random: () => number,
): Promise<Mix> {
  const chosen =
    weights.length === 0 ? queries.map((query) => ({ query, weight: query.weight ?? 1 })) : named(queries, weights)
  const parts = await Promise.all(
    chosen.map(async ({ query, weight }) => ({ weight, requests: await requestsOf(query) })),
  )
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
  weights: readonly string[],
): readonly { readonly query: Query; readonly weight: number }[] {
  return weights.map((text) => {
    const at = text.lastIndexOf('=')
    const [name, written] = at < 0 ? [text, '1'] : [text.slice(0, at), text.slice(at + 1)]
    const weight = Number(written)
    if (written.trim() === '' || !Number.isFinite(weight) || weight < 0)
      throw new PerfdbError('BAD_OPTION', `--mix ${text}: ${written} is no weight`, { hint: `--mix ${name}=6` })
    const query = queries.find((one) => one.name === name)
    if (query !== undefined) return { query, weight }
    throw new PerfdbError('BAD_OPTION', `--mix ${text}: no query ${name}`, {
      hint: `declared: ${queries.map((one) => one.name).join(', ')}`,
    })
  })
}

async function requestsOf({ name, sql, parameters, place }: Query): Promise<readonly Request[]> {
  if (sql === undefined)
    throw new PerfdbError('BAD_VALUE', `${name} has variants and no sql of its own`, {
      hint: '--mix with the others',
      place,
    })
  let wanted = 0
  try {
    wanted = (await readingStatement(sql)).parameterCount
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail } = error
    throw new PerfdbError(code, `${name}: ${message}`, {
      detail,
      hint: 'load sends only what reads: --mix with the others',
      place,
    })
  }
  const other = parameters.find(({ values }) => values.length !== wanted)
  if (other !== undefined)
    throw new PerfdbError(
      'BAD_VALUE',
      `${name}: ${several(other.values.length, 'value')} for ${several(wanted, 'parameter')}`,
      {
        hint: 'params of the query: a list of values, or named lists',
        place,
      },
    )
  if (parameters.length > 0) return parameters.map(({ values }) => ({ text: sql, values }))
  if (wanted === 0) return [{ text: sql, values: [] }]
  throw new PerfdbError('BAD_VALUE', `${name} has no values for $1${wanted > 1 ? ` to $${wanted}` : ''}`, {
    hint: 'params: [...] of the query',
    place,
  })
}
