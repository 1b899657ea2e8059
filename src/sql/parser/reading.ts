import { PerfdbError } from '../../errors.js'
import { singleStatement, type ParsedStatement } from './parser.js'

/**
 * The check of every statement that a file of the user's may hold and that perfdb sends to look something up: exactly one SELECT, WITH,
 * VALUES or TABLE, by PostgreSQL's own parser, which neither locks nor writes and makes no table (EXPLAIN ANALYZE and COPY pass
 * a read-only transaction, and COPY TO PROGRAM the server's own limits). Throws BAD_SQL.
 */
export async function readingStatement(text: string): Promise<ParsedStatement> {
  const statement = await singleStatement(text)
  if (statement.kind === 'read') return statement
  const verb = statement.kind === 'write' ? 'changes or locks data' : 'is not a query'
  throw new PerfdbError('BAD_SQL', `${statement.description} ${verb}`, {
    hint: 'write one SELECT, WITH, VALUES or TABLE that changes nothing',
  })
}
