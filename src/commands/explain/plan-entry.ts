import { isObject, type MutableJsonObject } from '../../measure/plan/json.js'
import { readQueryPlan, type QueryPlan } from '../../measure/plan/query-plan.js'
import { beginsPlan, readTextPlan } from '../../measure/plan/text-plan.js'
import { readPlainYaml } from '../../yaml/document/plain.js'
import type { PlanEntry } from './plan-entries.js'

/** A query plan of a file, with what was logged beside it. */
export interface FoundPlan {
  readonly plan: QueryPlan
  /** Empty where it was not logged. */
  readonly sql: string
  /** As it was logged: `$1 = '7'`. */
  readonly parameters: string
  /** Of the log; null in a file of EXPLAIN. */
  readonly durationMs: number | null
  readonly line: number
}

/** Why a part of a file holds no query plan: what was expected, and where. */
export interface UnreadPlan {
  readonly line: number
  readonly problem: string
}

/** Reads what planEntries found. Throws nothing: what cannot be read says what was expected. */
export function readEntry({ lines, line, durationMs }: PlanEntry): readonly (FoundPlan | UnreadPlan)[] {
  const head = lines.find((one) => one.trim() !== '') ?? ''
  const first = line + Math.max(0, lines.indexOf(head))
  if (/^\s*<explain\b/.test(head))
    return [
      {
        line: first,
        problem: 'this is EXPLAIN (FORMAT XML), which is not read: explain (analyze, buffers, format json) ...',
      },
    ]
  if (/^\s*[[{]/.test(head)) return documents(parsedJson(lines.join('\n')), 'JSON', first, durationMs)
  if (/^\s*(?:- Plan:|Query Text: "|Plan:\s*$)/.test(head))
    return documents(parsedYaml(lines.join('\n')), 'YAML', first, durationMs)
  return [fromText(lines, line, durationMs)]
}

function fromText(lines: readonly string[], line: number, durationMs: number | null): FoundPlan | UnreadPlan {
  const start = lines.findIndex((one) => beginsPlan(one))
  if (start < 0)
    return { line, problem: 'no line of a query plan follows, such as Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)' }
  const read = readTextPlan(lines.slice(start))
  const plan = read === null ? null : readQueryPlan(read.document)
  if (plan === null) return { line: line + start, problem: 'expected a node of a query plan' }
  const said = lines.slice(0, start).join('\n')
  const [, sql = said] = /^Query Text: ([\s\S]*?)(?:\nQuery Parameters: [\s\S]*)?$/.exec(said) ?? []
  return {
    plan: timed(plan, durationMs),
    sql: sql.trim(),
    parameters: /\nQuery Parameters: (.*)/.exec(said)?.[1] ?? '',
    durationMs,
    line: line + start,
  }
}

/** auto_explain logs no execution time of its own: its duration is that. */
function timed(plan: QueryPlan, durationMs: number | null): QueryPlan {
  const ran = plan.nodes.some(({ loops }) => loops > 0)
  return plan.executionMs === null && ran ? { ...plan, executionMs: durationMs } : plan
}

type Parsed = { readonly value: unknown } | { readonly problem: string; readonly row: number }

function documents(
  parsed: Parsed,
  form: string,
  line: number,
  durationMs: number | null,
): readonly (FoundPlan | UnreadPlan)[] {
  if ('problem' in parsed)
    return [{ line: line + parsed.row, problem: `expected ${form} of EXPLAIN: ${parsed.problem}` }]
  const list: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value.flat(1) : [parsed.value]
  return list.map((one) => {
    // pgAdmin, DataGrip and drivers keep the row around it.
    const inner: unknown =
      isObject(one) && 'QUERY PLAN' in one
        ? Array.isArray(one['QUERY PLAN'])
          ? one['QUERY PLAN'][0]
          : one['QUERY PLAN']
        : one
    const plan = isObject(inner) ? readQueryPlan(inner) : null
    if (plan === null || !isObject(inner))
      return { line, problem: `expected an object with "Plan", as EXPLAIN (FORMAT ${form}) prints` }
    return {
      plan: timed(plan, durationMs),
      sql: textIn(inner, 'Query Text').trim(),
      parameters: textIn(inner, 'Query Parameters'),
      durationMs,
      line,
    }
  })
}

function textIn(object: MutableJsonObject | Readonly<MutableJsonObject>, key: string): string {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}

function parsedJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
    const row = text.slice(0, at).split('\n').length - 1
    return {
      problem:
        /Unexpected end|Unterminated|Expected/.test(message) && at >= text.trimEnd().length
          ? 'it ends in the middle'
          : message.replace(/,? *"[\s\S]*$/, ''),
      row,
    }
  }
}

function parsedYaml(text: string): Parsed {
  const read = readPlainYaml(text)
  return 'problem' in read ? { problem: read.problem, row: read.line - 1 } : read
}
