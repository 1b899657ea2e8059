import type { ExistingIndex, PartitionTree, Snapshot } from '../../catalog/snapshot.js'
import { PerfdbError } from '../../errors.js'
import type { DeclaredIndex, Profile } from '../../profile/profile.js'
import { suggestion } from '../../text/nearest.js'
import { largeBuild, longTransaction } from '../hazards/hazards.js'
import type { PlanOptions } from '../inputs.js'
import { reindexStatement, type Statement, type Step } from '../plan.js'
import { beforeHash } from './saved.js'

/**
 * The step of an index that is as declared and is to be rebuilt where it stands, by REINDEX INDEX CONCURRENTLY: asked for by name, or declared so and not made
 * by perfdb. null when it is to be left as it is. That of a partitioned table is rebuilt partition by partition.
 */
export function reindexed(
  { definition, reindex }: DeclaredIndex,
  existing: ExistingIndex,
  tree: PartitionTree | undefined,
  snapshot: Snapshot,
  options: PlanOptions,
): Pick<Step, 'step' | 'reason' | 'statements' | 'hazards' | 'predictedBytes'> | null {
  const { name, table } = definition
  const asked = (options.reindex ?? []).some((wanted) => isName(wanted, table.schema, name))
  const saved = options.reindexSaved?.get(`${table.schema}.${name}`) === beforeHash(existing)
  const due = reindex === true && options.made?.has(existing.oid) !== true
  if (!asked && !saved && !due) return null
  return {
    step: 'reindex',
    reason:
      asked || saved ? 'asked for: rebuilt where it stands' : 'declared with reindex: true, and not built by perfdb',
    statements: tree === undefined ? [reindexStatement(table.schema, name)] : statementsOf(existing, tree),
    hazards: [...largeBuild(existing.sizeBytes, definition, options), ...longTransaction(snapshot, options)],
    predictedBytes: existing.sizeBytes,
  }
}

function statementsOf(existing: ExistingIndex, { partitions }: PartitionTree): readonly Statement[] {
  const own = new Set([existing.oid])
  // Level by level, so that each parent comes before its children.
  return partitions.flatMap(({ schema, relkind, indexes }) =>
    indexes.flatMap(({ oid, parentOid, name }) => {
      if (parentOid === null || !own.has(parentOid)) return []
      own.add(oid)
      return relkind === 'p' ? [] : [reindexStatement(schema, name)]
    }),
  )
}

/** Throws BAD_OPTION for a name that is declared nowhere, or in two schemas. */
export function assertReindexNames(profiles: readonly Profile[], { reindex = [] }: PlanOptions): void {
  const declared = profiles.flatMap(({ indexes }) =>
    indexes.map(({ definition: { name, table } }) => ({ schema: table.schema, name })),
  )
  for (const wanted of reindex) {
    const found = declared.filter(({ schema, name }) => isName(wanted, schema, name))
    if (found.length === 1) continue
    const names = declared.map(({ name }) => name)
    if (found.length === 0)
      throw new PerfdbError(
        'BAD_OPTION',
        `--reindex ${wanted}: no such index is declared${suggestion(wanted, names)}`,
        {
          hint: 'only declared indexes are rebuilt: name or schema.name',
        },
      )
    const qualified = found.map(({ schema, name }) => `${schema}.${name}`).join(' or ')
    throw new PerfdbError('BAD_OPTION', `--reindex ${wanted} is declared in several schemas`, {
      hint: `write ${qualified}`,
    })
  }
}

function isName(wanted: string, schema: string, name: string): boolean {
  return wanted === name || wanted === `${schema}.${name}`
}
