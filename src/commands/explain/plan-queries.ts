import { PerfdbError, type Place } from '../../errors.js'
import { round } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import { singleStatement } from '../../sql/parser/parser.js'
import { auditableStatement } from '../../sql/statements/statements.js'
import { queryOf, type BrokenQuery, type Inputs } from './explain-inputs.js'
import { readPlanFiles, type PlanSource } from './plan-files.js'
import type { Called, PlanGroup } from './plan-groups.js'
import { namer, shortName } from './short-name.js'

/** Queries of query plans, statements of them that cannot be looked at, and what else is to be said of the files. */
export interface PlanQueries extends Pick<Inputs, 'queries' | 'broken'> {
  readonly findings: readonly Finding[]
}

/**
 * The statements that files of query plans name, each text once: with the values that were logged beside it, weighed by how often it is there. Of statements that
 * differ in their constants alone three stand for all. NO_QUERY_TEXT for query plans without a text. Throws what readPlanFiles throws.
 */
export async function readPlanQueries(sources: readonly PlanSource[]): Promise<PlanQueries> {
  const { groups, findings } = await readPlanFiles(sources)
  const texts = new Map<string, (Called & { readonly weight: number })[]>()
  for (const called of groups.flatMap(weighed)) texts.set(called.sql, [...(texts.get(called.sql) ?? []), called])
  const unique = namer()
  const queries: Query[] = []
  const broken: BrokenQuery[] = []
  for (const [sql, all] of texts) {
    const [{ file, line } = { file: '', line: 1 }] = all
    const place = { file, line, column: 1 }
    const read = await readable(unique(shortName(sql)), sql, place)
    if ('problem' in read) broken.push(read)
    else {
      const weight = round(all.reduce((sum, one) => sum + one.weight, 0))
      queries.push({ ...read, parameters: setsOf(all), ...(weight === 1 ? {} : { weight }) })
    }
  }
  return { queries, broken, findings: [...findings, ...withoutText(groups)] }
}

/** Calls that were not kept count for those that were. */
function weighed({ called, calls }: PlanGroup): readonly (Called & { readonly weight: number })[] {
  const kept = called.reduce((sum, one) => sum + one.calls, 0)
  return called.flatMap((one) => (one.sql === '' ? [] : [{ ...one, weight: (one.calls * calls) / kept }]))
}

async function readable(name: string, text: string, place: Place): Promise<Query | BrokenQuery> {
  try {
    await singleStatement(text)
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, hint } = error
    return { name, problem: { code, message, hint, place } }
  }
  const sql = await auditableStatement(text, true)
  if (sql !== null) return queryOf(name, sql, place)
  const message = 'it reads or writes no table of the application, or is none that EXPLAIN explains'
  return { name, problem: { code: 'BAD_SQL', message, place } }
}

function setsOf(all: readonly Called[]): readonly ParameterSet[] {
  const sets = new Map<string, readonly (string | null)[]>()
  for (const { parameters } of all) {
    const values = loggedParameters(parameters)
    if (values !== null && values.length > 0) sets.set(parameters, values)
  }
  const several = sets.size > 1
  return [...sets.values()].map((values, at) => ({ name: several ? `call_${at + 1}` : 'default', values }))
}

/**
 * Values as auto_explain logs them (`$1 = '7', $2 = NULL`), in PostgreSQL's text form. null where they are not all there: one that was cut ends in dots.
 * https://www.postgresql.org/docs/current/auto-explain.html
 */
function loggedParameters(logged: string): readonly (string | null)[] | null {
  const values: (string | null)[] = []
  let rest = logged.trim()
  while (rest !== '') {
    const found = /^\$(\d+) = (?:NULL|'((?:[^']|'')*)')(?:, |$)/.exec(rest)
    const text = found?.[2]
    if (found === null || Number(found[1]) !== values.length + 1 || text?.endsWith('...') === true) return null
    values.push(text?.replaceAll("''", "'") ?? null)
    rest = rest.slice(found[0].length)
  }
  return values
}

/** One for each file. */
function withoutText(groups: readonly PlanGroup[]): readonly Finding[] {
  const bare = groups.filter(({ worst }) => worst.sql === '')
  return [...new Set(bare.map(({ file }) => file))].map((file) => {
    const lines = bare.filter((one) => one.file === file).map(({ worst }) => worst.line)
    const many = lines.length === 1 ? 'a query plan' : `${lines.length} query plans`
    return {
      code: 'NO_QUERY_TEXT',
      severity: 'warning',
      message: `${file} holds ${many} without the text of the query: nothing can be tried for ${lines.length === 1 ? 'it' : 'them'}`,
      hint: 'auto_explain logs the text beside the query plan, EXPLAIN does not: perfdb advise queries.sql, or --query "select ..."',
      place: { file, line: Math.min(...lines), column: 1 },
    }
  })
}
