import { expect, test } from 'vitest'
import type { CanonicalDefinition, ExistingIndex, Snapshot } from '../../src/catalog/snapshot.js'
import { planIndexes } from '../../src/plan/make/plan-indexes.js'
import type { Resolved } from '../../src/plan/inputs.js'
import type { Profile } from '../../src/profile/profile.js'

/*
 * How often planning reads from what it is given is counted, not timed: of twice as many indexes on one table about twice as often
 * (4,000 missing ones took 52 s when each looked at all others).
 */

const table = { schema: 'public', name: 't' }
const place = { file: 'p.yaml', line: 1, column: 1 }

interface Named {
  readonly name: string
  readonly keys: readonly string[]
}

/** `a0, b0`, `a1, b0` ...: no one begins with the keys of another. */
function many(count: number, prefix: string): readonly Named[] {
  return Array.from({ length: count }, (_, at) => ({ name: `${prefix}${at}`, keys: [`a${at}`, 'b'] }))
}

function canonicalOf(keys: readonly string[]): CanonicalDefinition {
  const printed = keys.map((key) => `${key} int4_ops`)
  return {
    method: 'btree',
    unique: false,
    nullsDistinct: true,
    keys: printed,
    include: [],
    predicate: null,
    storage: [],
    tablespace: null,
  }
}

function declaredOf({ name, keys }: Named): Resolved {
  const definition = {
    name,
    table,
    method: 'btree',
    unique: false,
    nullsDistinct: true,
    keys: keys.map((column) => ({ column })),
    include: [],
    storage: {},
  }
  return { declared: { definition, place, for: [] }, canonical: canonicalOf(keys) }
}

function existingOf({ name, keys }: Named, at: number, valid = true): ExistingIndex {
  return {
    oid: 20_000 + at,
    schema: 'public',
    name,
    table,
    tableOid: 1,
    partitioned: false,
    attached: false,
    valid,
    ready: valid,
    live: true,
    unique: false,
    primary: false,
    constraint: null,
    referencedBy: [],
    replicaIdentity: false,
    clustered: false,
    sizeBytes: 8192,
    scans: 0,
    indexdef: `CREATE INDEX ${name} ON public.t USING btree (${keys.join(', ')})`,
    extensions: [],
    comment: null,
    statistics: [],
    canonical: canonicalOf(keys),
  }
}

interface Case {
  readonly declared: readonly Named[]
  readonly existing?: readonly ExistingIndex[]
  readonly absent?: readonly string[]
}

function readsOf({ declared, existing = [], absent = [] }: Case): number {
  const resolved = declared.map(declaredOf)
  const profile: Profile = {
    name: 'p',
    file: 'p.yaml',
    schema: 'public',
    indexes: resolved.map((one) => one.declared),
    absent: absent.map((name) => ({ schema: 'public', name, place })),
    analyze: [],
    extensions: [],
    queries: [],
  }
  const snapshot: Snapshot = {
    server: {
      version: '18.0',
      versionNum: 180000,
      database: 'd',
      user: 'u',
      host: 'h',
      port: 5432,
      inRecovery: false,
      readOnly: false,
    },
    tables: [
      {
        oid: 1,
        ...table,
        relkind: 'r',
        temporary: false,
        estimatedRows: 10,
        sizeBytes: 8192,
        owned: true,
        creatable: true,
      },
    ],
    indexes: existing,
    partitionTrees: [],
    relations: [],
    overloads: null,
    tablespaces: [],
    builds: [],
    extensions: [],
    schemas: ['public'],
    statistics: [],
    eventTriggers: [],
    oldestTransaction: null,
  }
  const counted = counter()
  planIndexes([profile], counted.watched(resolved), counted.watched(snapshot), [], {
    allow: new Set(),
    prune: false,
    maxWaitMs: 60_000,
    maxSizeBytes: 1e12,
  })
  return counted.reads()
}

/** Counts each reading of a property, at any depth. */
function counter() {
  let reads = 0
  const known = new WeakMap<object, object>()
  function watched<Value extends object>(value: Value): Value
  function watched(value: object): object {
    const before = known.get(value)
    if (before !== undefined) return before
    const proxy = new Proxy(value, {
      get(target, key, receiver) {
        reads += 1
        const found: unknown = Reflect.get(target, key, receiver)
        return typeof found === 'object' && found !== null ? watched(found) : found
      },
    })
    known.set(value, proxy)
    return proxy
  }
  return { watched, reads: () => reads }
}

const cases: readonly (readonly [string, (count: number) => Case])[] = [
  ['missing', (count) => ({ declared: many(count, 'i') })],
  [
    'missing, beside as many that nobody declares',
    (count) => ({
      declared: many(count, 'i'),
      existing: many(count, 'o').map(({ name, keys }, at) => existingOf({ name, keys: [...keys, 'c'] }, at)),
    }),
  ],
  [
    'under another name',
    (count) => ({ declared: many(count, 'i'), existing: many(count, 'o').map((one, at) => existingOf(one, at)) }),
  ],
  [
    'not valid',
    (count) => ({
      declared: many(count, 'i'),
      existing: many(count, 'i').map((one, at) => existingOf(one, at, false)),
    }),
  ],
  [
    'missing, and as many to be dropped',
    (count) => ({
      declared: many(count, 'i'),
      existing: many(count, 'o').map(({ name }, at) => existingOf({ name, keys: [`d${at}`] }, at)),
      absent: many(count, 'o').map(({ name }) => name),
    }),
  ],
]

test.each(cases)('indexes of one table: %s', (_, make) => {
  const few = readsOf(make(200))
  expect(readsOf(make(400)) / few).toBeLessThan(2.6)
})
