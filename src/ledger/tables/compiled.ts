import type { Compilable } from 'kysely'
import { PerfdbError } from '../../errors.js'
import { parameter, type Queried } from './dialect.js'

const texts = new Map<string, string>()

/**
 * Runs a statement that Kysely compiles once in this process, under that name: compiled anew at each step they were a quarter of what a step costs Node.
 * `values` stand in the order in which the statement has them. Throws INTERNAL where they do not, and what `query` throws.
 */
export async function runCompiled<Row>(
  query: Queried['query'],
  name: string,
  values: readonly unknown[],
  make: () => Compilable,
): Promise<Row[]> {
  const text = texts.get(name) ?? compiled(name, values, make())
  return query<Row>(text, values.map(parameter))
}

function compiled(name: string, values: readonly unknown[], statement: Compilable): string {
  const { sql, parameters } = statement.compile()
  if (parameters.length !== values.length || parameters.some((value, at) => value !== values[at]))
    throw new PerfdbError('INTERNAL', `the ledger's statement ${name} has its values in another order`)
  texts.set(name, sql)
  return sql
}
