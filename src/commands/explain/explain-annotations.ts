import type { Problem } from '../../errors.js'
import type { Expectation, ParameterSet } from '../../profile/profile.js'
import { queryFindingCodes } from '../../codes/finding-codes.js'
import { parameterText } from '../../profile/written/values.js'
import type { Comment, SourceStatement } from '../../sql/statements/source.js'
import { nearest } from '../../text/nearest.js'
import { z } from '../../yaml/schema.js'

/** What the comments above a statement say of it. */
export interface Annotation {
  readonly name?: string
  readonly parameters: readonly ParameterSet[]
  readonly expect: Expectation
  readonly problems: readonly Problem[]
}

/**
 * Reads `-- name: jobs_by_status :many` (sqlc, aiosql) and `-- perfdb: name=... params=[...] expect_index=a,b max_ms=10
 * max_buffers=200 forbid=SEQ_SCAN`. params is JSON: a list for $1 $2 ..., an object by name for :name parameters, or an
 * object of several such as named sets. Problems are BAD_VALUE and UNKNOWN_KEY with their place.
 */
export function readAnnotation(statement: SourceStatement, file: string): Annotation {
  const pairs = statement.comments.flatMap((comment) => pairsOf(comment))
  const read = pairs.map((pair) => readPair(pair, statement))
  const problems = read.flatMap((one) => ('problem' in one ? [{ ...one.problem, place: { file, ...one.at } }] : []))
  const parts = read.flatMap((one) => ('problem' in one ? [] : [one]))
  const name = parts.flatMap((part) => part.name ?? []).at(-1)
  return {
    ...(name === undefined ? {} : { name }),
    parameters: parts.flatMap((part) => part.parameters ?? []),
    expect: Object.assign({}, ...parts.map((part) => part.expect ?? {})),
    problems,
  }
}

interface Pair {
  readonly key: string
  readonly value: string
  readonly at: { readonly line: number; readonly column: number }
}

function pairsOf({ text, line, column }: Comment): readonly Pair[] {
  const at = { line, column }
  const named = /^name:\s*([\w.-]+)/.exec(text)?.[1]
  if (named !== undefined) return [{ key: 'name', value: named, at }]
  const written = /^perfdb:(.*)$/s.exec(text)?.[1]
  if (written === undefined) return []
  const pairs = written.matchAll(
    /([\w-]+)\s*=\s*(\[.*?\](?=\s+[\w-]+\s*=|\s*$)|\{.*\}(?=\s+[\w-]+\s*=|\s*$)|"[^"]*"|\S+)|(\S+)/g,
  )
  return [...pairs].map((match) => ({ key: match[1] ?? match[3] ?? '', value: match[2] ?? '', at }))
}

type Part =
  | { readonly name?: string; readonly parameters?: readonly ParameterSet[]; readonly expect?: Expectation }
  | { readonly problem: Problem; readonly at: Pair['at'] }

const keys = ['name', 'params', 'expect_index', 'max_ms', 'max_cost', 'max_buffers', 'forbid'] as const

function readPair({ key, value, at }: Pair, statement: SourceStatement): Part {
  const bare = value.replace(/^"(.*)"$/s, '$1')
  const bad = (message: string): Part => ({ problem: { code: 'BAD_VALUE', message: `${key}: ${message}` }, at })
  const known = keys.find((one) => one === key)
  switch (known) {
    case 'name':
      return bare === '' ? bad('a name is missing') : { name: bare }
    case 'params':
      return parametersPart(value, statement, bad)
    case 'expect_index':
      return bare === '' ? bad('the name of an index is missing') : { expect: { uses: bare.split(',') } }
    case 'max_ms':
      return Number(bare) > 0 ? { expect: { timeMs: Number(bare) } } : bad('expected a number of milliseconds')
    case 'max_cost':
      return Number(bare) > 0 ? { expect: { cost: Number(bare) } } : bad('expected a cost of the planner')
    case 'max_buffers':
      return /^\d+$/.test(bare) ? { expect: { buffers: Number(bare) } } : bad('expected a number of blocks')
    case 'forbid': {
      const codes = bare.split(',')
      const unknown = codes.find((code) => !queryFindingCodes.some((one) => one === code))
      return unknown === undefined ? { expect: { forbid: codes } } : bad(`there is no finding ${unknown}`)
    }
    case undefined: {
      const meant = nearest(key, keys)
      const hint = meant === undefined ? `known: ${keys.join(', ')}` : `did you mean ${meant}?`
      return { problem: { code: 'UNKNOWN_KEY', message: `unknown annotation: ${key}`, hint }, at }
    }
  }
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const value = z.union([scalar, z.array(scalar)])
const list = z.array(value)
const byName = z.record(z.string(), value)
const written = z.union([list, z.record(z.string(), z.union([list, byName]))])

function parametersPart(text: string, { names, numbered }: SourceStatement, bad: (message: string) => Part): Part {
  const count = numbered + names.length
  const parsed = parseJson(text)
  const named = byName.safeParse(parsed)
  // { "status": "active" } names values where the statement has :status; else its members are sets.
  const one = named.success && names.some((name) => name in named.data) ? { default: named.data } : parsed
  const read = written.safeParse(Array.isArray(one) ? { default: one } : one)
  if (!read.success) return bad('expected JSON: [values] for $1 $2 ..., or {"name": value} for :name')
  const sets = Object.entries(read.data).map(([name, values]) => ({
    name,
    values: Array.isArray(values) ? values.map(parameterText) : names.map((key) => parameterText(values[key] ?? null)),
    missing: Array.isArray(values) ? [] : names.filter((key) => !(key in values)),
  }))
  const [missing] = sets.flatMap((set) => set.missing)
  if (missing !== undefined) return bad(`there is no value for :${missing}`)
  const wrong = sets.find((set) => set.values.length !== count)
  if (wrong !== undefined) return bad(`the statement has ${count} parameters, ${wrong.values.length} values are given`)
  return { parameters: sets.map(({ name, values }) => ({ name, values })) }
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
