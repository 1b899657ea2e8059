import { canonicalize } from '../../catalog/probe/canonicalize.js'
import { sharedKey, type SharedAnswers } from '../../catalog/shared.js'
import { isRefused, type Probed } from '../../catalog/probe/probe.js'
import { readSnapshot, readTables } from '../../catalog/read/read.js'
import type { Snapshot } from '../../catalog/snapshot.js'
import { readTableStatistics } from '../../catalog/table-statistics.js'
import { computes, foreignText, readOwners, readTrust, type Owners, type Trust } from '../../catalog/trust.js'
import type { Definition, TableName } from '../../definition/definition.js'
import { PerfdbError, problemsError, type Problem } from '../../errors.js'
import { assertReindexNames } from '../../plan/make/reindex.js'
import { ownedIndexesReader, readMadeOids } from '../../ledger/read/owned.js'
import { prunable, type Owner } from '../../ledger/ownership.js'
import { indexNamed, tableNamed } from '../../plan/match/lookup.js'
import type { Owned, PlanOptions, Resolved } from '../../plan/inputs.js'
import { planIndexes, plainMatch } from '../../plan/make/plan-indexes.js'
import { sameDefinition } from '../../plan/match/same.js'
import { hasAllTables, targetProblems } from '../../plan/make/targets.js'
import type { DeclaredIndex, Profile } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { Planned } from '../shared/planned.js'

/**
 * The straight line from profiles to a plan: snapshot, checks, what PostgreSQL says each declaration is, plan. Changes
 * nothing. Throws one error with every problem of every profile that this database has with them.
 */
export async function makePlan(session: Session, profiles: readonly Profile[], options: PlanOptions): Promise<Planned> {
  assertReindexNames(profiles, options)
  const looked = await look(session, profiles, options)
  // What the ledger says travels before the probe's transaction begins.
  const owning = looked.owned()
  if (session.pooled) await owning
  const [owned, resolved] = await Promise.all([owning, resolveAll(session, profiles, looked, options)])
  const all = owned.every(({ schema, name }) => indexNamed(looked.snapshot, schema, name) !== undefined)
  // What the ledger names beside the profiles' tables is asked once more, and mostly it names nothing.
  const snapshot = all ? looked.snapshot : await readSnapshot(session, profiles, owned, options.shared !== undefined)
  const statistics = await readTableStatistics(session, tablesToBuildOn(resolved, snapshot))
  const due = profiles.some(({ indexes }) => indexes.some(({ reindex }) => reindex === true))
  const made = due ? await readMadeOids(session) : new Set<number>()
  const complete = { ...snapshot, statistics }
  return { plan: planIndexes(profiles, resolved, complete, owned, { ...options, made }), snapshot: complete }
}

interface Looked {
  readonly owned: () => Promise<Owned>
  readonly snapshot: Snapshot
  /** Asked where there may be something to probe. */
  readonly owners: Owners | undefined
}

/** Whether there is a ledger, the catalog, and whose the tables are: asked side by side but behind a pooler, where each is a transaction. */
async function look(session: Session, profiles: readonly Profile[], options: PlanOptions): Promise<Looked> {
  const definitions = profiles.flatMap(({ indexes }) => indexes.map(({ definition }) => definition))
  const catalog = readSnapshot(session, profiles, [], options.shared !== undefined)
  if (session.pooled) await catalog
  const ledger = prunableIndexes(session, profiles, options)
  if (session.pooled) await ledger
  const whose = definitions.some(computes) ? readOwners(session, definitions) : undefined
  const [snapshot, owned, owners] = await Promise.all([catalog, ledger, whose])
  return { snapshot, owned, owners }
}

async function resolveAll(
  session: Session,
  profiles: readonly Profile[],
  looked: Looked,
  options: PlanOptions,
): Promise<readonly Resolved[]> {
  const known = hasAllTables(profiles, looked.snapshot) ? [] : await readTables(session)
  const problems = targetProblems(profiles, looked.snapshot, options, known)
  const all = profiles.flatMap((profile) => profile.indexes)
  return resolve(session, all, looked, problems, options.shared)
}

function tablesToBuildOn(resolved: readonly Resolved[], snapshot: Snapshot): readonly TableName[] {
  const building = resolved.filter(({ declared, canonical }) => {
    const { name, table } = declared.definition
    const existing = indexNamed(snapshot, table.schema, name)
    return existing === undefined || !existing.valid || !sameDefinition(canonical, existing.canonical)
  })
  return [
    ...new Map(
      building.map(({ declared }) => [JSON.stringify(declared.definition.table), declared.definition.table]),
    ).values(),
  ]
}

/**
 * Most declarations exist word for word and need no probe; the rest are asked of PostgreSQL. Throws the problems that are known already
 * together with those of the indexes that have none yet, so that they are reported all at once.
 */
async function resolve(
  session: Session,
  all: readonly DeclaredIndex[],
  looked: Looked,
  known: readonly Problem[],
  shared: SharedAnswers = new Map(),
): Promise<readonly Resolved[]> {
  const [first, ...more] = known
  if (first === undefined) {
    const { resolved, refused } = await ask(session, all, looked, true, shared)
    const [refusal, ...others] = refused
    if (refusal !== undefined) throw problemsError([refusal, ...others])
    return resolved
  }
  const askable = all.filter(({ place }) => !known.some((problem) => problem.place === place))
  // What cannot even be asked is no matter beside problems that are certain.
  const { refused } = await ask(session, askable, looked, false, shared).catch(() => ({ refused: [] }))
  // What an extension brings is missing because the extension is.
  const own = known.some(({ code }) => code === 'NO_EXTENSION')
    ? refused.filter(({ sqlstate }) => sqlstate !== '42704' && sqlstate !== '42883')
    : refused
  throw problemsError([first, ...more, ...own])
}

async function ask(
  session: Session,
  declared: readonly DeclaredIndex[],
  { snapshot, owners }: Looked,
  withExtensions: boolean,
  shared: SharedAnswers,
): Promise<{ readonly resolved: readonly Resolved[]; readonly refused: readonly Problem[] }> {
  const printed = new Map(declared.map((index) => [index, plainMatch(index, snapshot)]))
  const doubtful = declared.filter((index) => printed.get(index) === undefined)
  const looked = declared.filter((index) => printed.get(index)?.valid !== true)
  const trust = await readTrust(
    session,
    looked.map(({ definition }) => definition),
    owners,
  )
  const keyOf = ({ definition }: DeclaredIndex) =>
    trust.get(definition)?.probed === true
      ? sharedKey(snapshot.server.versionNum, definition, tableNamed(snapshot, definition.table))
      : undefined
  const known = (index: DeclaredIndex) => shared.get(keyOf(index) ?? '')
  const unknown = doubtful.filter((index) => known(index) === undefined)
  const answers = await canonicalOf(session, unknown, snapshot, trust, withExtensions)
  for (const [index, answer] of answers) {
    const key = keyOf(index)
    if (key !== undefined && !isRefused(answer)) shared.set(key, answer.canonical)
  }
  const problems: Problem[] = []
  const resolved: Resolved[] = []
  for (const index of declared) {
    const answer = answers.get(index)
    const plain = answer === undefined ? (printed.get(index)?.canonical ?? known(index)) : undefined
    const about = { declared: index, ...foreignOf(trust.get(index.definition)) }
    if (plain !== undefined) resolved.push({ ...about, canonical: plain })
    else if (answer !== undefined && isRefused(answer)) problems.push(answer.problem)
    else if (answer !== undefined) resolved.push({ ...about, canonical: answer.canonical })
  }
  return { resolved, refused: problems }
}

function foreignOf(trust: Trust | undefined): Pick<Resolved, 'foreign' | 'stranger' | 'unbuildable'> {
  if (trust === undefined) return {}
  const { foreign, stranger, unbuildable } = trust
  return {
    ...(stranger ? { stranger } : {}),
    ...(foreign.length === 0 ? {} : { foreign: foreignText(foreign) }),
    ...(unbuildable === null ? {} : { unbuildable }),
  }
}

async function canonicalOf(
  session: Session,
  declared: readonly DeclaredIndex[],
  snapshot: Snapshot,
  trust: ReadonlyMap<Definition, Trust>,
  withExtensions: boolean,
): Promise<ReadonlyMap<DeclaredIndex, Probed>> {
  const answers = await canonicalize(session, declared, {
    trust,
    snapshot: async () => snapshot,
    partitioned: snapshot.partitionTrees.map((tree) => tree.table),
    extensions: snapshot.extensions
      .filter((extension) => withExtensions && !extension.installed)
      .map((extension) => extension.name),
  })
  return new Map(
    declared.flatMap((index, position) => {
      const answer = answers[position]
      return answer === undefined ? [] : [[index, answer]]
    }),
  )
}

/** Without --prune they are only told of, and a ledger that may not be read, or is not to be trusted, keeps nobody from planning. */
async function prunableIndexes(
  session: Session,
  profiles: readonly Profile[],
  { prune }: Pick<PlanOptions, 'prune'>,
): Promise<() => Promise<Owned>> {
  const unread = (error: unknown) => {
    if (prune || !(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    return []
  }
  const read = await ownedIndexesReader(session).catch((error: unknown) => () => Promise.resolve(unread(error)))
  return async () => prunable(await read().catch(unread), profiles.map(ownerOf))
}

function ownerOf({ name, file, schema, indexes, analyze }: Profile): Owner {
  const tables = [...indexes.map(({ definition }) => definition.table), ...analyze.map(({ table }) => table)]
  return { name, file, schema, tables }
}
