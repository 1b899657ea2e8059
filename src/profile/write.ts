import type { Definition, Key, PartitionPart, TableName } from '../definition/definition.js'
import { isExpressionText } from '../definition/key-text.js'
import { durationMs } from '../text/units.js'
import { writeYaml, type Writable } from '../yaml/document/write.js'
import type { DeclaredLoad } from './load.js'
import type { DeclaredIndex, Expectation, ParameterSet, Profile, Query } from './profile.js'

type Entry = readonly [string, Writable | undefined]

/** What editors check and complete with. */
const languageServer = (schema: string) => `yaml-language-server: $schema=${schema}`

/**
 * A profile as the YAML that `readProfiles` gives back as the same profile (but for file and places), without what is
 * default anyway. `comment` follows the line for editors, which names `schemaFile` where there is one.
 */
export function writeProfile(profile: Profile, options: { comment?: string; schemaFile?: string } = {}): string {
  const { schema } = profile
  const comment = [
    ...(options.schemaFile === undefined ? [] : [languageServer(options.schemaFile)]),
    ...(options.comment?.split('\n') ?? []),
  ]
  const tables = profile.analyze.map(({ table }) => nameOf(table, schema))
  const value = entries([
    ['version', 1],
    ['profile', profile.name],
    ['schema', schema === 'public' ? undefined : schema],
    ['indexes', some(profile.indexes.map((index) => indexOf(index, schema)))],
    ['absent', some(profile.absent.map((index) => nameOf(index, schema)))],
    ['extensions', some(profile.extensions.map(({ name }) => name))],
    ['analyze', some(tables)],
    ['queries', some(profile.queries.map(queryOf))],
    ['load', profile.load === undefined ? undefined : loadOf(profile.load)],
  ])
  return writeYaml(value, comment.join('\n'))
}

function indexOf({ definition, for: queries, why, reindex }: DeclaredIndex, schema: string): Writable {
  const { name, table, method, keys, include, predicate, unique, nullsDistinct, storage }: Definition = definition
  const { tablespace, comment, statistics, partitions = [] } = definition
  return entries([
    ['name', name],
    ['table', nameOf(table, schema)],
    ['method', method === 'btree' ? undefined : method],
    ['keys', keys.map(keyOf)],
    ['include', some(include)],
    ['where', predicate],
    ['unique', unique ? true : undefined],
    ['nulls_distinct', nullsDistinct ? undefined : false],
    ['with', settingsOf(storage)],
    ['tablespace', tablespace],
    ['comment', comment],
    ['statistics', statistics === undefined ? undefined : entries(Object.entries(statistics))],
    ['partitions', some(partitions.map((part) => partOf(part, schema)))],
    ['reindex', reindex],
    ['for', some(queries)],
    ['why', why],
  ])
}

function partOf({ table, name, storage, comment, statistics }: PartitionPart, schema: string): Writable {
  return entries([
    ['table', nameOf(table, schema)],
    ['name', name],
    ['with', storage === undefined ? undefined : (settingsOf(storage) ?? new Map())],
    ['comment', comment],
    ['statistics', statistics === undefined ? undefined : entries(Object.entries(statistics))],
  ])
}

function keyOf({ column, expression, opclass, opclassParameters, collation, order, nulls }: Key): Writable {
  const plain = opclass ?? collation ?? order ?? nulls
  if (column !== undefined && plain === undefined && !isExpressionText(column)) return column
  const parameters = settingsOf(opclassParameters)
  const family =
    parameters === undefined || opclass === undefined
      ? opclass
      : entries([
          ['name', opclass],
          ['parameters', parameters],
        ])
  return entries([
    ['column', column],
    ['expression', expression],
    ['opclass', family],
    ['collation', collation],
    ['order', order],
    ['nulls', nulls],
  ])
}

function queryOf({ name, sql, parameters, expect, weight, variants }: Query): Writable {
  const alternatives = variants.map((variant): Entry => {
    const [only, second] = variant.statements
    return [variant.name, only !== undefined && second === undefined ? only : variant.statements]
  })
  return entries([
    ['name', name],
    ['sql', sql],
    ['params', parametersOf(parameters)],
    ['expect', expectationOf(expect)],
    ['weight', weight],
    ['variants', variants.length === 0 ? undefined : entries(alternatives)],
  ])
}

function parametersOf(sets: readonly ParameterSet[]): Writable | undefined {
  const [first, second] = sets
  if (first === undefined) return undefined
  const values = ({ values }: ParameterSet) => values.map((value) => (value === null ? null : settingOf(value)))
  return second === undefined && first.name === 'default'
    ? values(first)
    : entries(sets.map((set) => [set.name, values(set)]))
}

function expectationOf({ uses, speedup, timeMs, cost, buffers, forbid }: Expectation): Writable | undefined {
  const written = entries([
    ['uses', uses],
    ['speedup', speedup],
    ['time', timeMs === undefined ? undefined : durationOf(timeMs)],
    ['cost', cost],
    ['buffers', buffers],
    ['forbid', forbid],
  ])
  return written.size === 0 ? undefined : written
}

function loadOf(load: DeclaredLoad): Writable {
  const {
    mix,
    params,
    connections,
    service,
    pools,
    timeoutMs,
    durationMs: stepMs,
    rates,
    users,
    thinkMs,
    expect,
  } = load
  const time = (ms: number | undefined) => (ms === undefined ? undefined : durationOf(ms))
  const expected = entries([
    ...expect.times.map(({ of, ms }): Entry => [of, durationOf(ms)]),
    ['success', expect.successPercent === undefined ? undefined : `${expect.successPercent}%`],
    ['rate', expect.rate === undefined ? undefined : `${expect.rate}/s`],
  ])
  return entries([
    ['mix', mix === undefined ? undefined : entries(mix.map(({ query, weight }): Entry => [query, weight]))],
    [
      'params',
      params.length === 0
        ? undefined
        : entries(params.map(({ query, sql }): Entry => [query, entries([['sql', sql]])])),
    ],
    ['connections', connections],
    ['service', service],
    ['pools', pools],
    ['timeout', time(timeoutMs)],
    ['duration', time(stepMs)],
    ['rates', rates?.map((rate) => `${rate}/s`)],
    ['users', users],
    ['think', time(thinkMs)],
    ['expect', expected.size === 0 ? undefined : expected],
  ])
}

function durationOf(ms: number): Writable {
  const text =
    ms >= 60_000 && ms % 60_000 === 0 ? `${ms / 60_000}min` : ms >= 1000 && ms % 100 === 0 ? `${ms / 1000}s` : `${ms}ms`
  return durationMs(text) === ms ? text : `${ms}ms`
}

/** `name`, `schema.name`, or the two apart where a dot would part them at the wrong place. */
function nameOf({ schema, name }: TableName, profileSchema: string): Writable {
  const own = schema === profileSchema
  if (!name.includes('.') && (own || !schema.includes('.'))) return own ? name : `${schema}.${name}`
  return entries([
    ['schema', own ? undefined : schema],
    ['name', name],
  ])
}

function settingsOf(settings: Readonly<Record<string, string>> = {}): Writable | undefined {
  const written = Object.entries(settings).map(([name, value]): Entry => [name, settingOf(value)])
  return written.length === 0 ? undefined : entries(written)
}

/** Numbers and booleans without quotes, where reading them gives the same text again. */
function settingOf(value: string): Writable {
  if (value === 'true' || value === 'false') return value === 'true'
  return /^-?\d{1,15}(\.\d+)?$/.test(value) && value.length <= 15 && String(Number(value)) === value
    ? Number(value)
    : value
}

function some(values: readonly Writable[]): readonly Writable[] | undefined {
  return values.length === 0 ? undefined : values
}

function entries(pairs: readonly Entry[]): ReadonlyMap<string, Writable> {
  return new Map(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}
