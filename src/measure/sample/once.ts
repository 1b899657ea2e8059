import type { Session } from '../../server/session/session.js'
import type { Limits } from './limits.js'

/** As nodes of query plans name it. */
export interface TableName {
  readonly schema: string
  readonly relation: string
}

/** Answers of the tables in their order, each table once. `more`: what is asked besides; an answer stands for the same alone. */
export type OncePerTable<T> = (
  session: Session,
  limits: Limits,
  tables: readonly TableName[],
  more?: readonly string[],
) => Promise<readonly T[]>

/**
 * A reader of the catalog that asks once for each table in a block of queries: of 30 queries over a dozen tables the same was asked 270 times, a
 * third of all that an audit did besides its samples. `read` gives one answer for each table, in their order. Whose code may run is never
 * asked this way, and neither is what a trial changes.
 */
export function oncePerTable<T>(
  read: (
    session: Session,
    limits: Limits,
    tables: readonly TableName[],
    more: readonly string[],
  ) => Promise<readonly T[]>,
): OncePerTable<T> {
  const blocks = new WeakMap<object, WeakMap<Session, Map<string, T>>>()
  return async (session, limits, tables, more = []) => {
    const block = blocks.get(limits.block) ?? new WeakMap<Session, Map<string, T>>()
    blocks.set(limits.block, block)
    const known = block.get(session) ?? new Map<string, T>()
    block.set(session, known)
    const wanted = new Map(
      tables.map((table) => [JSON.stringify([table.schema, table.relation, ...more]), table] as const),
    )
    const missing = [...wanted].filter(([key]) => !known.has(key))
    if (missing.length > 0) {
      const answers = await read(
        session,
        limits,
        missing.map(([, table]) => table),
        more,
      )
      for (const [at, answer] of answers.entries()) known.set(missing[at]?.[0] ?? '', answer)
    }
    const answered: T[] = []
    for (const key of wanted.keys()) {
      const answer = known.get(key)
      if (answer !== undefined) answered.push(answer)
    }
    return answered
  }
}
