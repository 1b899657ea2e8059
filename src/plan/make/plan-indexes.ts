import { type Plan, renameStatement, type Step } from '../plan.js'
import type { ExistingIndex, RunningBuild, Snapshot } from '../../catalog/snapshot.js'
import type { DeclaredIndex, Profile } from '../../profile/profile.js'
import { constraintTwin } from '../hazards/constraint-twin.js'
import { dropRefusal } from '../match/drop-refusal.js'
import { declaredNoMore, planDrops } from '../match/drops.js'
import { fingerprint } from './fingerprint.js'
import { reindexed } from './reindex.js'
import { buildHazards, identityHazards } from '../hazards/hazards.js'
import { auditFindings } from '../audit/audit.js'
import { eventTriggerFindings } from '../hazards/event-triggers.js'
import { foreignFindings, foreignOf, unknownReplace } from '../hazards/foreign.js'
import type { Owned, PlanOptions, Resolved } from '../inputs.js'
import { uniquenessLost } from '../index-attributes.js'
import { declaredLike, indexesLike, indexNamed, isDeclared, partitionTree, statisticsOf } from '../match/lookup.js'
import { withNeeds } from '../match/needs.js'
import { prunableLeft, pruneNotes } from './prune-notes.js'
import { withSchemas } from './with-schemas.js'
import { partitionedFindings } from '../partitioned/partitioned-findings.js'
import { replaceRefusal } from '../partitioned/partitioned-replace.js'
import { planPartitioned, refusedReplace, unfinishedTwin } from '../partitioned/partitioned.js'
import { nameKey } from '../match/overlap.js'
import { planLeftovers } from '../audit/leftovers.js'
import { predictBytes } from '../hazards/predict.js'
import { plainlySame, sameDefinition } from '../match/same.js'
import { createStatements, rebuildStatements, repairStatement, replaceStatements } from './step-statements.js'

/**
 * profile + snapshot -> Plan, pure. The order of steps does not depend on the order of catalog rows or of profile entries:
 * leftovers that still reject writes first, then plain builds, then partial and expression builds (they hold a snapshot
 * that every build at its end waits for, fault 16), table by table; then swaps and drops.
 */
export function planIndexes(
  profiles: readonly Profile[],
  resolved: readonly Resolved[],
  snapshot: Snapshot,
  owned: Owned,
  options: PlanOptions,
): Plan {
  const drops = planDrops(profiles, resolved, snapshot, owned, options)
  const builds = resolved.map((one) => planOne(one, resolved, snapshot, options))
  // What is declared absent may be the very index that gets a declared name, and a replace drops what is in its way itself.
  const renamed = new Set(builds.flatMap((step) => (step.step === 'adopt' ? [step.existing?.oid] : [])))
  const dropped = new Set(
    builds.flatMap(({ step, schema, statements }) => (step === 'replace' ? droppedBy(schema, statements) : [])),
  )
  const asked = new Set(drops.steps.map((step) => step.existing?.oid))
  const leftovers = planLeftovers(resolved, snapshot).filter((step) => !asked.has(step.existing?.oid))
  const wanted = [...drops.steps, ...leftovers].filter(
    (step) => !renamed.has(step.existing?.oid) && !dropped.has(nameKey({ schema: step.schema, name: step.index })),
  )
  const steps = withNeeds(builds.concat(wanted).sort(byUrgency), snapshot)
  const extensions = snapshot.extensions
    .filter((extension) => !extension.installed)
    .map((extension) => extension.name)
    .sort()
  const left = prunableLeft(declaredNoMore(resolved, snapshot, owned), steps)
  const audit = auditFindings(resolved, snapshot, steps, new Set(left.map(({ oid }) => oid)))
  return withSchemas({
    steps,
    extensions,
    findings: [
      ...partitionedFindings([...drops.refused, ...audit], steps, snapshot),
      ...eventTriggerFindings(steps, snapshot),
      ...foreignFindings(steps),
    ],
    notes: pruneNotes(left),
    fingerprint: fingerprint(steps, extensions),
  })
}

function droppedBy(schema: string, statements: Step['statements']): readonly string[] {
  return statements.flatMap(({ kind, index }) => (kind === 'drop' ? [nameKey({ schema, name: index })] : []))
}

/** The existing index that a declaration needs no probe for, because PostgreSQL prints it word for word. */
export function plainMatch(declared: DeclaredIndex, snapshot: Snapshot): ExistingIndex | undefined {
  const existing = indexNamed(snapshot, declared.definition.table.schema, declared.definition.name)
  return existing !== undefined && plainlySame(declared.definition, existing, snapshot.overloads) ? existing : undefined
}

function planOne(one: Resolved, all: readonly Resolved[], snapshot: Snapshot, options: PlanOptions): Step {
  const { definition } = one.declared
  const existing = indexNamed(snapshot, definition.table.schema, definition.name)
  if (existing === undefined) return planMissing(one, all, snapshot, options)
  const base = stepBase(one, existing)
  const tree = partitionTree(snapshot, definition.table)
  if (tree !== undefined) {
    if (one.canonical.unknown !== undefined) return { ...base, ...unknownReplace(existing, one.canonical.unknown) }
    const step = planPartitioned(one, existing, tree, snapshot, buildHazards(one, all, snapshot, options))
    const again = step.step === 'keep' ? reindexed(one.declared, existing, tree, snapshot, options) : null
    return { ...base, ...(again ?? step) }
  }
  if (snapshot.builds.some((build) => isOf(build, existing))) {
    return { ...base, step: 'building', reason: 'another session builds it right now', statements: [] }
  }
  const refusal = dropRefusal(existing)
  const same = sameDefinition(one.canonical, existing.canonical)
  if (!(existing.valid && existing.ready && existing.live) && (refusal === null || same)) {
    return {
      ...base,
      step: 'rebuild',
      reason: `exists but is not ${existing.valid ? (existing.ready ? 'live' : 'ready') : 'valid'}: no query uses it`,
      statements:
        refusal === null ? rebuildStatements(definition, existing, one.canonical) : [repairStatement(existing)],
      hazards: [...identityHazards(existing), ...buildHazards(one, all, snapshot, options)],
      predictedBytes: predictBytes(definition, statisticsOf(snapshot, definition.table)),
    }
  }
  if (same) {
    const keep = { step: 'keep', reason: 'valid, same definition', statements: [] } as const
    return { ...base, ...(reindexed(one.declared, existing, tree, snapshot, options) ?? keep) }
  }
  if (one.canonical.unknown !== undefined) return { ...base, ...unknownReplace(existing, one.canonical.unknown) }
  const reason = `already exists with a different definition: ${existing.indexdef}`
  const notReplaced = replaceRefusal(existing, one.canonical, snapshot)
  if (notReplaced !== null) {
    const message = `${definition.name} is not replaced: ${notReplaced}`
    const hint = 'declare the new definition under another name'
    return { ...base, step: 'replace', reason, statements: [], hazards: [refusedReplace(message, hint)] }
  }
  return {
    ...base,
    step: 'replace',
    reason,
    statements: replaceStatements(definition, existing, snapshot, one.canonical),
    hazards: [
      {
        code: 'REPLACE',
        message: `${definition.name} exists with another definition: a new index is built, then takes its name, then the old one is dropped${uniquenessLost(existing, one.canonical)}`,
      },
      ...identityHazards(existing),
      ...buildHazards(one, all, snapshot, options),
    ],
  }
}

/** A build whose index this role may not see could be the one of any index on its table that is not valid: that one is left to it. */
function isOf(build: RunningBuild, index: ExistingIndex): boolean {
  return build.indexOid === index.oid || (build.hidden && build.tableOid === index.tableOid && !index.valid)
}

function planMissing(one: Resolved, all: readonly Resolved[], snapshot: Snapshot, options: PlanOptions): Step {
  const { definition } = one.declared
  const owned = constraintTwin(one, all, snapshot, options)
  if (owned !== undefined) {
    const reason = `exists as ${owned.name}, the index of the constraint ${owned.constraint ?? ''}`
    return { ...stepBase(one, owned), step: 'keep', reason, statements: [] }
  }
  const twin = indexesLike(snapshot, definition.table, one.canonical).find((index) =>
    adoptable(index, one, all, snapshot),
  )
  if (twin !== undefined) {
    return {
      ...stepBase(one, twin),
      step: 'adopt',
      reason: `the same index exists as ${twin.name}`,
      statements: [renameStatement(twin.schema, [[twin.name, definition.name]], definition.name)],
      hazards: [
        {
          code: 'RENAME',
          message: `${twin.name} would be renamed to ${definition.name}: code that names the index would not find it`,
        },
      ],
    }
  }
  const tree = partitionTree(snapshot, definition.table)
  const beside = tree === undefined ? [] : unfinishedTwin(one, all, tree)
  const hazards = [...beside, ...buildHazards(one, all, snapshot, options)]
  return {
    ...stepBase(one, null),
    step: 'create',
    reason: 'missing',
    statements: createStatements(definition),
    hazards,
    ...(tree === undefined ? {} : planPartitioned(one, null, tree, snapshot, hazards)),
    predictedBytes: predictBytes(definition, statisticsOf(snapshot, definition.table)),
  }
}

/** One of the same definition: valid, undeclared itself, and not the property of a constraint or a partitioned index. */
function adoptable(index: ExistingIndex, one: Resolved, all: readonly Resolved[], snapshot: Snapshot): boolean {
  return (
    index.valid &&
    index.ready &&
    index.live &&
    index.constraint === null &&
    !index.attached &&
    !isDeclared(all, index.schema, index.name) &&
    declaredLike(all, one.declared.definition.table, one.canonical).every(
      (other) => other === one || !adoptsBefore(other, one, snapshot),
    )
  )
}

/** Of several missing ones of one definition the first by name gets it. */
function adoptsBefore(other: Resolved, one: Resolved, snapshot: Snapshot): boolean {
  const { name, table } = other.declared.definition
  const later = compare(name, one.declared.definition.name) >= 0
  if (later || indexNamed(snapshot, table.schema, name) !== undefined) return false
  return sameDefinition(other.canonical, one.canonical)
}

function stepBase(one: Resolved, existing: ExistingIndex | null) {
  const { definition, place } = one.declared
  return {
    schema: definition.table.schema,
    index: definition.name,
    table: definition.table,
    hazards: [],
    predictedBytes: null,
    declared: definition,
    canonical: one.canonical,
    existing,
    place,
    ...foreignOf(one),
  } as const
}

function byUrgency(a: Step, b: Step): number {
  return (
    urgency(a) - urgency(b) ||
    compare(a.table.schema, b.table.schema) ||
    compare(a.table.name, b.table.name) ||
    compare(a.index, b.index)
  )
}

function urgency(step: Step): number {
  const { existing, declared } = step
  if (step.step === 'rebuild' && existing !== null && existing.unique && existing.ready) return 0
  if (step.step === 'drop') return 4
  if (step.step === 'replace' || step.step === 'adopt') return 3
  const computing =
    declared !== null && (declared.predicate !== undefined || declared.keys.some((key) => key.expression !== undefined))
  return computing ? 2 : 1
}

/** By code unit: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
