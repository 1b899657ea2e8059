import { readFile } from 'node:fs/promises'
import { join, isAbsolute } from 'node:path'
import { PerfdbError } from '../errors.js'
import type { Query } from '../profile/profile.js'
import { readProfiles } from '../profile/read.js'
import { parseStatements } from '../sql/parser.js'

export interface InputOptions {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * The queries of an audit: --query, each statement of .sql files (named file:line), and the queries of profiles.
 * Throws NO_PROFILE when there is nothing to look at, and whatever reading a profile throws.
 */
export async function readQueries(
  paths: readonly string[],
  text: string | undefined,
  options: InputOptions,
): Promise<readonly Query[]> {
  const fromText = text === undefined ? [] : [queryOf('query', text, { file: '--query', line: 1, column: 1 })]
  const sqlFiles = paths.filter((path) => path.endsWith('.sql'))
  const others = paths.filter((path) => !path.endsWith('.sql'))
  const fromFiles = (await Promise.all(sqlFiles.map((file) => fileQueries(file, options)))).flat()
  const profiles = others.length === 0 ? [] : await readProfiles(others, options)
  const queries = [...fromText, ...fromFiles, ...profiles.flatMap((profile) => profile.queries)]
  if (queries.length === 0) {
    throw new PerfdbError(
      'NO_PROFILE',
      paths.length === 0 ? 'no query is named' : 'there is no query in the files that are named',
      {
        hint: 'perfdb explain queries.sql, perfdb explain profile.yaml or perfdb explain --query "select ..."',
      },
    )
  }
  return queries
}

async function fileQueries(file: string, { cwd }: InputOptions): Promise<readonly Query[]> {
  const content = await readFile(isAbsolute(file) ? file : join(cwd, file), 'utf8').catch(() => undefined)
  if (content === undefined) throw new PerfdbError('FILE_NOT_FOUND', `there is no file ${file}`)
  const statements = await parseStatements(content, file)
  return statements.map(({ text, line, column }) => queryOf(`${file}:${line}`, text, { file, line, column }))
}

function queryOf(name: string, sql: string, place: Query['place']): Query {
  return { name, sql, parameters: [], variants: [], expect: {}, place }
}
