import type { Finding } from '../../plan/plan.js'
import type { StatisticsResult } from '../../result/documents/statistics-result.js'
import type { Session } from '../../server/session/session.js'
import { readStatistics, type ReadOptions } from '../../twin/read/read-statistics.js'
import { readKnownStatements } from './known-statements.js'
import { isIndex, statisticsText, type Statistics } from '../../twin/statistics.js'
import { about, findingDocument } from './documents.js'

export interface StatisticsOptions extends ReadOptions {
  /** Writes the file. */
  readonly write: (text: string) => Promise<void>
  /** Its name, for the document. */
  readonly file: string
}

/**
 * Sizes and statistics of the session's database into a file, for a twin. Reads only; a session of the role `look`. Throws BAD_OPTION for a column to hide
 * that is not there, and the server's errors.
 */
export async function runStatistics(session: Session, options: StatisticsOptions): Promise<StatisticsResult> {
  const startedAt = new Date()
  const { statistics: read, notes } = await readStatistics(session, options)
  const { statements, findings } = await readKnownStatements(session)
  const statistics = statements === undefined ? read : { ...read, statements }
  const text = statisticsText(statistics)
  await options.write(text)
  const { relations } = statistics
  return {
    ...about(0, session, startedAt),
    command: 'statistics',
    file: options.file,
    file_bytes: Buffer.byteLength(text),
    values: statistics.values,
    counts: {
      tables: relations.filter((one) => !isIndex(one)).length,
      indexes: relations.filter(isIndex).length,
      columns: relations.reduce((sum, { columns }) => sum + columns.length, 0),
      ends: relations.reduce((sum, { ends = [] }) => sum + ends.length, 0),
      ...(statements === undefined ? {} : { statements: statements.fingerprints.length }),
    },
    size_bytes: relations.reduce((sum, { bytes }) => sum + bytes, 0),
    findings: [
      ...valuesFinding(statistics, options.file),
      ...unseenFindings(statistics, session.user),
      ...notes.map(noteFinding),
      ...findings,
    ].map(findingDocument),
  }
}

function valuesFinding({ values }: Statistics, file: string): readonly Finding[] {
  if (values === 'left out') return []
  return [
    {
      code: 'HOLDS_VALUES',
      severity: 'info',
      message: `${file} holds values of rows: the most common ones, histograms, least and greatest`,
      hint: 'keep it as you keep the data, or leave them out: --no-values, or --hide table.column',
    },
  ]
}

/** What the role may not see, with the grant; and extended statistics, which no server takes back. */
export function unseenFindings({ unseen }: Pick<Statistics, 'unseen'>, user: string): readonly Finding[] {
  const { tables, indexes, extended } = unseen
  return [
    ...(tables.length === 0
      ? []
      : [
          partial(
            `the statistics of ${listed(tables, 'table')} are not shown to ${user}`,
            `grant select on ${tables.slice(0, 3).join(', ')} to "${user}", or for all: grant pg_read_all_data to "${user}"`,
          ),
        ]),
    ...(indexes.length === 0
      ? []
      : [
          partial(
            `the statistics of the expressions of ${listed(indexes, 'index', 'indexes')} are shown to their owner alone`,
            `connect as the owner, or grant pg_read_all_data to "${user}"`,
          ),
        ]),
    ...(extended.length === 0
      ? []
      : [
          partial(
            `extended statistics cannot be restored: ${listed(extended, 'object')}; estimates that lean on them differ on the twin`,
            'perfdb compares the query plans of both before it says anything',
          ),
        ]),
  ]
}

function partial(message: string, hint: string): Finding {
  return { code: 'TWIN_PARTIAL', severity: 'warning', message, hint }
}

function listed(names: readonly string[], one: string, many = `${one}s`): string {
  const shown = names.slice(0, 3).join(', ')
  return `${names.length} ${names.length === 1 ? one : many} (${shown}${names.length > 3 ? ', ...' : ''})`
}

function noteFinding(message: string): Finding {
  return { code: 'TWIN_PARTIAL', severity: 'warning', message }
}
