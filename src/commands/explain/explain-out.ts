import type { Query } from '../../profile/profile.js'
import { writeProfile } from '../../profile/write.js'
import type { Counted } from './explain-top.js'

/**
 * Statements of pg_stat_statements as the YAML of a profile without indexes, the calls of each as its weight. Without values: those that explain finds in the
 * statistics are data of the application, and would be old at the next run.
 */
export function profileOfStatements(
  name: string,
  queries: readonly Query[],
  counts: ReadonlyMap<string, Counted> | undefined,
  schemaFile: string | undefined,
): string {
  const weighed = queries.map((query): Query => {
    const calls = counts?.get(query.name)?.calls
    return calls === undefined ? query : { ...query, weight: calls }
  })
  const none = { indexes: [], absent: [], extensions: [], analyze: [] }
  return writeProfile(
    { name, file: name, schema: 'public', ...none, queries: weighed },
    { comment, ...(schemaFile === undefined ? {} : { schemaFile }) },
  )
}

const comment = ` Of pg_stat_statements; weight is the calls that it counted. Parameters without values
 get common and rare ones of the statistics; \`params: [...]\` gives those of the application.`
