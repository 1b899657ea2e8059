import { PerfdbError, type Place, type Problem } from '../../errors.js'
import type { DeclaredIndex, Profile, Query } from '../../profile/profile.js'
import type { Named } from '../../profile/files/files.js'
import { readProfiles } from '../../profile/read/read.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import { sourceStatements, type SourceStatement } from '../../sql/statements/source.js'
import { singleStatement } from '../../sql/parser/parser.js'
import { readAnnotation } from './explain-annotations.js'

export interface InputOptions {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** As of readProfiles. */
  readonly schema?: string | undefined
  /** Values of the one query that is given as a text. */
  readonly parameters?: readonly (string | null)[] | undefined
  /** What `-` stands for. */
  readonly stdin: () => Promise<string>
}

/** Queries to audit, and statements that cannot be looked at: the others are audited all the same. */
export interface Inputs {
  readonly queries: readonly Query[]
  /** What the profiles declare. */
  readonly indexes: readonly DeclaredIndex[]
  readonly broken: readonly BrokenQuery[]
  readonly profiles: readonly Pick<Profile, 'filled'>[]
}

export interface BrokenQuery {
  readonly name: string
  readonly problem: Problem
}

/**
 * The queries of an audit: --query, each statement of .sql files and of `-` (named by its annotation, else file:line),
 * and the queries of profiles. Throws NO_PROFILE when there is nothing to look at, BAD_OPTION for a query without its quotes, FILE_NOT_FOUND, and whatever reading
 * a profile throws.
 */
export async function readQueries(
  paths: readonly Named[],
  text: string | undefined,
  options: InputOptions,
): Promise<Inputs> {
  if (
    text !== undefined &&
    paths.length > 0 &&
    /^\s*(select|with|values|table|insert|update|delete|merge)\s*$/i.test(text)
  )
    throw new PerfdbError(
      'BAD_OPTION',
      `of the query only ${text.trim()} belongs to --query: the shell took it apart`,
      {
        hint: 'put it in quotes: perfdb explain --query "select ..."',
      },
    )
  const fromText = text === undefined ? [] : [await readable('query', text, { file: '--query', line: 1, column: 1 })]
  const sqlFiles = paths.filter(isSql)
  const others = paths.filter((path) => !isSql(path))
  const fromFiles = await Promise.all(sqlFiles.map(async (file) => fileInputs(file, options)))
  const profiles = others.length === 0 ? [] : await readProfiles(others, options)
  const inputs = {
    queries: [
      ...fromText.flatMap((read) => ('problem' in read ? [] : [withValues(read, options.parameters)])),
      ...fromFiles.flatMap(({ queries }) => queries),
      ...profiles.flatMap((profile) => profile.queries),
    ],
    indexes: profiles.flatMap((profile) => profile.indexes),
    profiles,
    broken: [
      ...fromText.flatMap((read) => ('problem' in read ? [read] : [])),
      ...fromFiles.flatMap(({ broken }) => broken),
    ],
  }
  if (inputs.queries.length + inputs.broken.length > 0) return inputs
  throw new PerfdbError(
    'NO_PROFILE',
    paths.length === 0 ? 'no query is named' : 'there is no query in the files that are named',
    {
      hint: 'name a .sql file, a profile with queries, --query "select ..." or --top 10',
    },
  )
}

function withValues(query: Query, values: readonly (string | null)[] = []): Query {
  return values.length === 0 ? query : { ...query, parameters: [{ name: 'default', values }] }
}

function isSql(path: Named): path is string {
  return typeof path === 'string' && (path === '-' || path.endsWith('.sql'))
}

async function fileInputs(path: string, { cwd, stdin }: InputOptions): Promise<Omit<Inputs, 'indexes' | 'profiles'>> {
  const file = path === '-' ? 'stdin' : path
  const content =
    path === '-'
      ? await stdin()
      : await readNamedFile(path, cwd, 'perfdb explain queries.sql, or - for what stdin holds')
  const queries: Query[] = []
  const broken: BrokenQuery[] = []
  for (const statement of sourceStatements(content)) {
    const read = await statementQuery(statement, file)
    if ('problem' in read) broken.push(read)
    else queries.push(read)
  }
  return { queries, broken }
}

async function statementQuery(statement: SourceStatement, file: string): Promise<Query | BrokenQuery> {
  const { text, line, column } = statement
  const { name = `${file}:${line}`, parameters, expect, problems } = readAnnotation(statement, file)
  const [problem] = problems
  if (problem !== undefined) return { name, problem }
  const read = await readable(name, text, { file, line, column })
  return 'problem' in read ? read : { ...read, parameters, expect }
}

/** A query, or what is wrong with its text, which begins at that place. */
async function readable(name: string, text: string, start: Place): Promise<Query | BrokenQuery> {
  try {
    await singleStatement(text, start.file)
    return queryOf(name, text, start)
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    return {
      name,
      problem: { code: error.code, message: error.message, hint: error.hint, place: inFile(error.place, start) },
    }
  }
}

/** From a place in the statement to the place in its file. */
function inFile(place: Place | undefined, start: Place): Place {
  if (place === undefined) return start
  const { file, line, column } = start
  return { file, line: line + place.line - 1, column: place.line === 1 ? column + place.column - 1 : place.column }
}

export function queryOf(name: string, sql: string, place: Place): Query {
  return { name, sql, parameters: [], variants: [], expect: {}, place }
}
