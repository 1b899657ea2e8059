import type { ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'
import { candidatesOn } from '../match/lookup.js'
import { driftOf, flagText } from './drift.js'
import { leftoverFindings, noWrites } from './leftovers.js'
import { isTemporaryName, newNameFor } from '../match/names.js'
import { candidateOf, duplicateOf, nameKey, prefixOf } from '../match/overlap.js'
import type { Finding, Step } from '../plan.js'
import type { Resolved } from '../inputs.js'

/** What verify reports: every difference between declared and existing, and what else is wrong on the profiles' tables. */
export function auditFindings(
  resolved: readonly Resolved[],
  snapshot: Snapshot,
  steps: readonly Step[],
  owned: ReadonlySet<number> = new Set(),
): readonly Finding[] {
  // The twin of an index to adopt is that index itself, under its old name.
  const adopted = new Set(
    steps.flatMap(({ step, schema, index, existing }) =>
      step === 'adopt' || (step === 'keep' && existing?.name !== index) ? [nameKey({ schema, name: index })] : [],
    ),
  )
  const leftovers = leftoverFindings(steps, snapshot)
  return [
    ...steps.filter((step) => step.leftoverOf === undefined).flatMap(driftOf),
    ...leftovers.findings,
    ...overlapFindings(
      resolved.filter(({ declared: { definition } }) => {
        return !adopted.has(nameKey({ schema: definition.table.schema, name: definition.name }))
      }),
      resolved,
      snapshot,
    ),
    ...existingFindings(snapshot, steps, leftovers.spoken, owned),
  ].sort(byPlace)
}

function overlapFindings(
  judged: readonly Resolved[],
  all: readonly Resolved[],
  snapshot: Snapshot,
): readonly Finding[] {
  return judged.flatMap((one): readonly Finding[] => {
    const own = candidateOf(one)
    const others = candidatesOn(one.declared.definition.table, all, snapshot)
    const base = { index: own.name, table: tableText(one), place: one.declared.place, severity: 'warning' } as const
    const twin = duplicateOf(own, others)
    if (twin !== undefined)
      return [
        { ...base, code: 'DUPLICATE', message: `${own.name} is the same index as ${twin.name}: each write pays twice` },
      ]
    const wider = prefixOf(own, others)
    if (wider === undefined) return []
    return [
      {
        ...base,
        code: 'REDUNDANT',
        message: `every condition that ${own.name} can search ${wider.name} can search as well: the keys of the one are the first keys of the other`,
      },
    ]
  })
}

/** Indexes that nobody declared: invalid ones cost writes and HOT updates for nothing (fault 9), the others are told for completeness. */
function existingFindings(
  snapshot: Snapshot,
  steps: readonly Step[],
  leftovers: ReadonlySet<number>,
  owned: ReadonlySet<number>,
): readonly Finding[] {
  const spoken = new Set([
    ...steps.flatMap((step) => (step.existing === null ? [] : [step.existing.oid])),
    ...leftovers,
  ])
  const tables = new Set(snapshot.tables.map((table) => JSON.stringify([table.schema, table.name])))
  return snapshot.indexes
    .filter((index) => !spoken.has(index.oid) && tables.has(JSON.stringify([index.table.schema, index.table.name])))
    .flatMap((index): readonly Finding[] => {
      const base = { index: index.name, table: `${index.table.schema}.${index.table.name}` }
      const build = snapshot.builds.find(({ indexOid }) => indexOid === index.oid)
      if (build !== undefined)
        return [
          {
            ...base,
            code: 'BUILDING',
            severity: 'warning',
            message: `${index.name}, which no profile declares, is being built by pid ${build.pid}`,
          },
        ]
      if (!index.valid && !index.partitioned) {
        return [
          {
            ...base,
            code: 'INVALID',
            severity: 'error',
            message: `${index.name}, which no profile declares, is ${flagText(index)}: it serves no query, ${index.ready && index.live ? 'and each write pays for it' : noWrites([index])}`,
            hint: `if nobody needs it: ${dropIndexSql(index.schema, index.name)}`,
          },
        ]
      }
      if (index.constraint !== null || index.attached) return []
      if (isTemporaryName(index.name)) return [{ ...base, ...passing(index, steps) }]
      return [
        {
          ...base,
          code: 'UNDECLARED',
          severity: 'info',
          message: owned.has(index.oid)
            ? `${index.name} was built by perfdb for this profile and is declared no more (${index.scans} scans since the statistics were reset)`
            : `${index.name} is not declared (${index.scans} scans since the statistics were reset)`,
          ...(owned.has(index.oid) ? { hint: 'perfdb apply --prune drops it' } : {}),
        },
      ]
    })
}

/** Valid, and kept by every write for nobody until the replace that it belongs to is done. */
function passing(
  { schema, name, partitioned }: ExistingIndex,
  steps: readonly Step[],
): Omit<Finding, 'index' | 'table'> {
  const replace = steps.find(
    (step) => step.step === 'replace' && step.schema === schema && newNameFor(step.index) === name,
  )
  const goesOn = replace === undefined ? '' : `perfdb apply --allow REPLACE goes on with it for ${replace.index}; `
  return {
    code: 'UNDECLARED',
    severity: 'warning',
    message: `${name} is left from a replace that did not come to its end: each write pays for it`,
    hint: `${goesOn}if nobody needs it: ${partitioned ? dropPartitionedSql({ schema, name }) : dropIndexSql(schema, name)}`,
  }
}

function tableText({ declared }: Resolved): string {
  return `${declared.definition.table.schema}.${declared.definition.table.name}`
}

const rank = { error: 0, warning: 1, info: 2 } as const

function byPlace(a: Finding, b: Finding): number {
  return rank[a.severity] - rank[b.severity] || text(a).localeCompare(text(b), 'en')
}

function text({ table, index, code }: Finding): string {
  return `${table ?? ''} ${index ?? ''} ${code}`
}
