import { durationMs } from '../../src/text/units.js'
import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Profile, Query } from '../../src/profile/profile.js'
import { parseProfile } from '../../src/profile/read/read.js'
import { queryFindingCodes } from '../../src/codes/finding-codes.js'
import { readSqlProfile } from '../../src/profile/sql/sql.js'
import { writeProfile } from '../../src/profile/write.js'

const nowhere = { file: 'p.yaml', line: 1, column: 1 }

/** Texts that YAML, the environment or the dotted form of names could take for something else. */
const odd = fc.constantFrom(
  'true', 'null', '~', '12', '1.0', '0x1f', '1e3', '.inf', '-0', '007', '<<', '*a', '&a', '!x', '- a', 'a: b', 'a #b', '# a', '${HOME}', '$${HOME}',
  '${A:-b}', "it's", '"q"', 'a.b', '.a', 'a.', '.', '{a}', '[a]', '2', '1', 'ü😀', ' a', 'a ', 'a\nb', 'a\n', '\n', '\t', '\r\n', '\u0085', '\u2028', '\uFEFF', '2024-01-01',
  '---', '...', '%YAML 1.2', '@a', '`a`', '|', '>', '?', 'Infinity', 'NaN', 'yes', '__proto', 'constructor',
) // prettier-ignore
const anyText = fc
  .oneof(odd, fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), fc.string({ minLength: 1 }))
  .filter((text) => text !== '' && !/\0|\p{Surrogate}/u.test(text) && text !== '__proto__')
const name = anyText.filter((text) => Buffer.byteLength(text) <= 63)
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const table = fc.record({ schema: fc.oneof(fc.constant('public'), name), name })
const settings = fc.dictionary(name, anyText, { maxKeys: 3, noNullPrototype: true })

const key = fc
  .record({
    target: fc.oneof(fc.record({ column: name }), fc.record({ expression: anyText })),
    opclass: maybe(fc.record({ opclass: anyText, opclassParameters: maybe(settings) })),
    collation: maybe(anyText),
    order: maybe(fc.constantFrom('asc' as const, 'desc' as const)),
    nulls: maybe(fc.constantFrom('first' as const, 'last' as const)),
  })
  .map(({ target, opclass, collation, order, nulls }) => {
    const { opclass: family, opclassParameters = {} } = opclass ?? {}
    return {
      ...target,
      ...(family === undefined ? {} : { opclass: family }),
      ...(Object.keys(opclassParameters).length === 0 ? {} : { opclassParameters }),
      ...(collation === undefined ? {} : { collation }),
      ...(order === undefined ? {} : { order }),
      ...(nulls === undefined ? {} : { nulls }),
    }
  })

const definition = fc
  .record({
    name,
    table,
    method: fc.oneof(fc.constant('btree'), name),
    keys: fc.array(key, { minLength: 1, maxLength: 3 }),
    include: fc.array(name, { maxLength: 2 }),
    predicate: maybe(anyText),
    unique: fc.boolean(),
    nullsDistinct: fc.boolean(),
    storage: settings,
    tablespace: maybe(name),
  })
  .map(({ predicate, tablespace, ...rest }) => ({
    ...rest,
    ...(predicate === undefined ? {} : { predicate }),
    ...(tablespace === undefined ? {} : { tablespace }),
  }))

const parameterSet = fc.record({
  name: fc.oneof(fc.constant('default'), anyText),
  values: fc.array(fc.oneof(anyText, fc.constant(''), fc.constant(null)), { maxLength: 4 }),
})
const expectation = fc
  .record({
    uses: maybe(fc.array(name, { maxLength: 2 })),
    speedup: maybe(fc.double({ min: 0.01, max: 1e6, noNaN: true })),
    timeMs: maybe(
      fc.oneof(
        fc.nat(200_000),
        fc.double({ min: 0, max: 1e9, noNaN: true }).map((ms) => durationMs(`${ms.toFixed(6)}ms`)),
        fc.constantFrom(0.25, 1500, 120_000),
      ),
    ),
    buffers: maybe(fc.nat()),
    forbid: maybe(fc.subarray([...queryFindingCodes])),
  })
  .map((fields) => ({ ...JSON.parse(JSON.stringify(fields)) }))
const statements = fc.array(anyText, { minLength: 1, maxLength: 3 })
const variant = fc.record({ name: anyText, statements })
const unique = <T extends { name: string }>(items: fc.Arbitrary<T>, maxLength: number, minLength = 0) =>
  fc.uniqueArray(items, { selector: (item) => item.name, minLength, maxLength })
const query: fc.Arbitrary<Query> = fc
  .record({
    name: anyText,
    body: fc.oneof(
      fc.record({ sql: anyText, variants: fc.constant([]) }),
      fc.record({ variants: unique(variant, 3, 1) }),
    ),
    parameters: unique(parameterSet, 3),
    expect: expectation,
    weight: maybe(fc.integer({ min: 1, max: 1e9 })),
  })
  .map(({ body, weight, ...rest }) => ({
    ...rest,
    ...body,
    ...(weight === undefined ? {} : { weight }),
    place: nowhere,
  }))

/** Its queries are chosen among those of the profile. */
const load = fc
  .record({
    weights: maybe(fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })),
    params: fc.array(anyText, { maxLength: 2 }),
    connections: maybe(fc.integer({ min: 1, max: 500 })),
    timeoutMs: maybe(fc.nat(200_000)),
    durationMs: maybe(fc.integer({ min: 1000, max: 600_000 })),
    users: maybe(fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 3 })),
    thinkMs: maybe(fc.nat(5000)),
    p95: maybe(fc.nat(5000)),
    success: maybe(fc.nat(1000)),
    rate: maybe(fc.integer({ min: 1, max: 100_000 })),
  })
  .map((fields) => ({ ...JSON.parse(JSON.stringify(fields)) }))

/** A load that names the queries that there are. */
function loadOf(queries: readonly Query[], { weights, params, p95, success, rate, ...rest }: Record<string, never>) {
  const of = <Value>(values: readonly Value[]) =>
    queries.slice(0, values.length).map(({ name }, at) => ({ name, value: values[at] }))
  const mix = of<number>(weights ?? []).map(({ name: query, value }) => ({ query, weight: value ?? 0 }))
  return {
    ...rest,
    ...(mix.some(({ weight }) => weight > 0) ? { mix } : {}),
    params: of<string>(params ?? []).map(({ name: query, value }) => ({ query, sql: value ?? 'select 1' })),
    expect: {
      times: p95 === undefined ? [] : [{ of: 'p95' as const, ms: p95 }],
      ...(success === undefined ? {} : { successPercent: success / 10 }),
      ...(rate === undefined ? {} : { rate }),
    },
    place: nowhere,
  }
}

const profile: fc.Arbitrary<Profile> = fc
  .record({
    name: anyText,
    schema: fc.oneof(fc.constant('public'), name),
    declared: unique(definition, 4),
    absent: fc.array(table, { maxLength: 3 }),
    extensions: fc.array(name, { maxLength: 2 }),
    analyze: fc.array(table, { maxLength: 3 }),
    queries: unique(query, 3),
    load: maybe(load),
    whys: fc.array(maybe(fc.oneof(anyText, fc.constant(''))), { minLength: 4, maxLength: 4 }),
  })
  .map(({ declared, whys, absent, extensions, analyze, load: written, ...rest }) => ({
    ...rest,
    ...(written === undefined ? {} : { load: loadOf(rest.queries, written) }),
    file: 'p.yaml',
    indexes: declared.map((definition, at) => {
      const why = whys[at]
      const justifiedBy = rest.queries.slice(0, at).map((query) => query.name)
      return { definition, for: justifiedBy, ...(why === undefined ? {} : { why }), place: nowhere }
    }),
    absent: absent
      .filter((index) => !declared.some(({ name, table }) => name === index.name && table.schema === index.schema))
      .map((index) => ({ ...index, place: nowhere })),
    extensions: extensions.map((name) => ({ name, place: nowhere })),
    analyze: analyze.map((table) => ({ table, place: nowhere })),
  }))

/** A profile without what depends on the text it was read from. */
function placeless(value: Profile): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => (key === 'place' || key === 'file' ? undefined : inner)),
  )
}

test('law: profile -> YAML -> profile is the identity', () => {
  fc.assert(
    fc.property(profile, (value) => {
      expect(placeless(parseProfile(writeProfile(value), 'p.yaml'))).toEqual(placeless(value))
    }),
    { numRuns: 500 },
  )
})

test('as a person would write it', async () => {
  const source = `-- dashboard list by status, newest first
create index idx_jobs_status_created_at on jobs (status, created_at desc nulls last);
create unique index "Odd.Name" on other.jobs using gist (lower(email) gist_trgm_ops (siglen = 32)) include (name)
  nulls not distinct with (fillfactor = 90) tablespace fast where email is not null;
analyze customers, other.jobs`
  const { profile: read } = await readSqlProfile(source, 'job-shop.sql')
  const queries: readonly Query[] = [
    {
      name: 'by-status',
      sql: 'select *\nfrom jobs\nwhere status = $1',
      parameters: [
        { name: 'hot', values: ['active', '1', 'true', null] },
        { name: 'rare', values: ['007'] },
      ],
      variants: [],
      expect: { uses: ['idx_jobs_status_created_at'], speedup: 3, timeMs: 1500, buffers: 200, forbid: ['SEQ_SCAN'] },
      place: nowhere,
    },
    {
      name: 'stats',
      parameters: [],
      variants: [
        { name: 'many', statements: ['select 1', 'select 2'] },
        { name: 'one', statements: ['select ${HOME}'] },
      ],
      expect: {},
      place: nowhere,
    },
  ]
  const absent = [{ schema: 'public', name: 'idx_jobs_old', place: nowhere }]
  const extensions = [{ name: 'pg_trgm', place: nowhere }]
  expect(writeProfile({ ...read, absent, extensions, queries }, { comment: 'From job-shop.sql' }))
    .toMatchInlineSnapshot(`
    "# From job-shop.sql

    version: 1
    profile: job-shop
    indexes:
      - name: idx_jobs_status_created_at
        table: jobs
        keys: [status, {column: created_at, order: desc, nulls: last}]
        why: dashboard list by status, newest first
      - name: Odd.Name
        table: other.jobs
        method: gist
        keys:
          - expression: lower(email)
            opclass: {name: gist_trgm_ops, parameters: {siglen: 32}}
        include: [name]
        where: email is not null
        unique: true
        nulls_distinct: false
        with: {fillfactor: 90}
        tablespace: fast
    absent: [idx_jobs_old]
    extensions: [pg_trgm]
    analyze: [customers, other.jobs]
    queries:
      - name: by-status
        sql: |-
          select *
          from jobs
          where status = $1
        params: {hot: [active, 1, true, null], rare: ["007"]}
        expect:
          uses: [idx_jobs_status_created_at]
          speedup: 3
          time: 1.5s
          buffers: 200
          forbid: [SEQ_SCAN]
      - name: stats
        variants: {many: [select 1, select 2], one: "select $\${HOME}"}
    "
  `)
})

test('the ready profiles keep their meaning', async () => {
  for (const name of ['job-shop', 'pam', 'oms']) {
    const file = new URL(`../../profiles/${name}.yaml`, import.meta.url)
    const read = parseProfile(await readFile(file, 'utf8'), `${name}.yaml`)
    expect(placeless(parseProfile(writeProfile(read), `${name}.yaml`))).toEqual(placeless(read))
  }
})
