import { foreignText, readForeignCode } from '../../catalog/trust.js'
import { textsOf, type Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { admission, boundSubjects } from '../query/measure-query.js'
import type { Limits } from '../sample/limits.js'
import type { Subject } from '../sample/subject.js'

export interface QueryName {
  readonly name: string
  readonly params: string | null
  /** `four-queries 2`, of a query with variants. */
  readonly statement: string | null
}

interface Named extends QueryName {
  readonly subject: Subject | null
  /** Why there is nothing to plan; empty where there is. */
  readonly reason: string
}

/** A statement with one set of values that is to be planned, or why it is not. */
export interface Asked extends Named {
  readonly query: Query
}

/**
 * The statements of these queries with each set of their values, one after another: what may be planned at all, so that nobody's code runs with rights that
 * its author lacks. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function* asked(session: Session, queries: readonly Query[], limits: Limits): AsyncGenerator<Asked> {
  for (const query of queries) {
    const foreign = (await readForeignCode(session, textsOf(query))).flat()
    const named =
      foreign.length > 0
        ? [
            {
              name: query.name,
              params: null,
              statement: null,
              subject: null,
              reason: `planning it would run ${foreignText(foreign)}`,
            },
          ]
        : await subjectsOf(session, query, limits)
    for (const one of named) yield { ...one, query }
  }
}

/** Each statement of a query with each set of values. */
async function subjectsOf(session: Session, query: Query, limits: Limits): Promise<readonly Named[]> {
  const statements =
    query.variants.length === 0
      ? [{ statement: null, text: query.sql ?? '' }]
      : query.variants.flatMap(({ name, statements: texts }) =>
          texts.map((text, at) => ({ statement: texts.length === 1 ? name : `${name} ${at + 1}`, text })),
        )
  const named: Named[] = []
  for (const { statement, text } of statements) {
    const admitted = await admission(text, limits)
    if ('failure' in admitted) {
      named.push({ name: query.name, params: null, statement, subject: null, reason: admitted.failure.reason })
      continue
    }
    const { subjects } = await boundSubjects(
      session,
      statement === null ? query : shortened(query, admitted.statement.parameterCount),
      admitted.statement,
      limits,
    )
    for (const { params, subject, failure } of subjects) {
      named.push({
        name: query.name,
        params,
        statement,
        subject: failure === null ? subject : null,
        reason: failure?.reason ?? '',
      })
    }
  }
  return named
}

/** The statements of variants share one list of values, and take as many of it as they have parameters. */
function shortened(query: Query, parameterCount: number): Query {
  return {
    ...query,
    parameters: query.parameters.map(({ name, values }) => ({ name, values: values.slice(0, parameterCount) })),
  }
}
