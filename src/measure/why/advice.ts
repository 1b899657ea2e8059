import { columnTypesSql, tableIdentitySql } from '../../sql/measure/explain-catalog.js'
import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import { operatorClassesSql } from '../../sql/measure/explain-opclasses.js'
import type { Rewrite } from '../../sql/rewrite/rewrite-places.js'
import { parameterText } from '../../server/session/values.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import { joinCastCounts } from '../rules/join-rules.js'
import { type RuleFinding } from '../rules/rule.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { seqScanReason, type WithoutSeqScan } from './without-seq-scan.js'
import { firstSelective } from './estimate.js'
import { provenRewrites, rewriteText, type Proven } from './rewriting.js'
import { armsOf, candidates, exists, needOf, withIndexOrder, type Need, type TableCatalog } from './serves.js'
import { createText } from './serves-text.js'
import { statisticsReason } from './statistics-trial.js'
import { tryIndexes } from './trial.js'
import type { ColumnFacts } from './why-not.js'

/** Codes whose advice the catalog, the empty copy and the planner are asked for. */
const advisedCodes = new Set(['SEQ_SCAN', 'ROWS_REMOVED', 'TOPN_SORT', 'NOT_PRUNED', 'JOIN_CAST', 'MISESTIMATE'])

/** True for findings that are worth the look. */
export function isAdvised({ code, node }: RuleFinding): boolean {
  return node !== undefined && advisedCodes.has(code)
}

/**
 * The findings with advice that was tried: an index that PostgreSQL builds on an empty copy and that the planner searches for these conditions; another
 * way to write the query that gave the same rows; statistics that mended the estimate. What cannot be helped so is said with its reason.
 * Findings that the catalog refutes are left out. Throws the server's errors.
 */
export async function advised(
  counterpart: WithoutSeqScan,
  findings: readonly RuleFinding[],
): Promise<readonly RuleFinding[]> {
  const told: RuleFinding[] = []
  const known = new Map<string, Promise<Catalog>>()
  const catalogOf = async (node: PlanNode) => {
    const table = tableOf(node)
    const found = known.get(table) ?? readCatalog(counterpart, node)
    known.set(table, found)
    return found
  }
  let proven: readonly Proven[] | null = null
  for (const finding of findings) {
    const node = isAdvised(finding) ? counterpart.plan.nodes[finding.node ?? -1] : undefined
    if (node === undefined || (node.relation === '' && finding.code !== 'ROWS_REMOVED')) {
      told.push(finding)
      continue
    }
    const catalog = node.relation === '' ? null : await catalogOf(node)
    if (finding.code === 'JOIN_CAST') {
      if (catalog !== null && joinCastCounts(finding, catalog.columns)) told.push(finding)
      continue
    }
    if (finding.code === 'MISESTIMATE') {
      const hint = catalog === null ? null : await statisticsReason(counterpart, node, catalog.owned)
      told.push(hint === null ? finding : { ...finding, hint })
      continue
    }
    proven ??= await provenRewrites(counterpart, catalog?.columns ?? new Map())
    const hint = await adviceFor(counterpart, finding, node, catalog, proven)
    const table = catalog?.root ?? finding.table
    told.push({ ...finding, ...(table === undefined ? {} : { table }), ...(hint === null ? {} : { hint }) })
  }
  return told
}

/** What the catalog says of a table, and whose it is. */
export interface Catalog extends TableCatalog {
  /** The partitioned table that it belongs to, else itself: `schema.table`. */
  readonly root: string
  /** null where it may not be asked. */
  readonly owner: string | null
  /** The role may create statistics on it. */
  readonly owned: boolean
}

async function adviceFor(
  counterpart: WithoutSeqScan,
  finding: RuleFinding,
  node: PlanNode,
  catalog: Catalog | null,
  proven: readonly Proven[],
): Promise<string | null> {
  const asked = await columnsAsked(node)
  const rewrite = proven.find(({ rewrite: one }) => applies(one, node, asked))
  if (catalog === null) return rewrite === undefined ? null : rewriteText(rewrite, null)
  const need = withIndexOrder(
    { ...(await needOf(counterpart.plan, node, catalog.root)) },
    counterpart.plan,
    node,
    catalog.indexes,
  )
  if (rewrite !== undefined) return rewriteText(rewrite, rewrite.faster ? null : indexFor(rewrite.rewrite, catalog))
  const reason =
    finding.code === 'SEQ_SCAN' || finding.code === 'NOT_PRUNED' ? await seqScanReason(counterpart, node) : null
  if (reason !== null && reason.startsWith('the planner could use')) return reason
  if (finding.code === 'TOPN_SORT' && need.order.length === 0) return null
  const remedy = await remedies(counterpart, need, catalog)
  const parts = [reason ?? '', remedy ?? ''].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  return `no index on ${catalog.root} serves it: what its Filter asks cannot be searched, or is met by most rows`
}

/** Of each arm of an OR an index; where an arm is none of its own table, two queries. */
async function remedies(counterpart: WithoutSeqScan, need: Need, catalog: Catalog): Promise<string | null> {
  const whole = await indexRemedy(counterpart, need, catalog)
  if (whole !== null) return whole.text
  const arms = await armsOf(need)
  if (arms.length === 0) return null
  const union =
    'write its arms as queries of their own, joined by UNION: each then finds its rows by an index (not proven equal: UNION also drops equal rows)'
  if (arms.some(({ conjuncts }) => conjuncts.every(({ condition }) => condition.kind === 'other'))) return union
  const found: (Remedy | null)[] = []
  for (const arm of arms) found.push(await indexRemedy(counterpart, arm, catalog))
  return found.includes(null)
    ? null
    : [...new Set(found.flatMap((one) => (one === null || one.text === '' ? [] : [one.text])))].join('; ')
}

interface Remedy {
  /** Empty where the index exists. */
  readonly text: string
}

/**
 * The first candidate that PostgreSQL and the planner take, unless the table has it; where nothing can be tried, one of plain columns that
 * the catalog vouches for.
 */
async function indexRemedy(
  { session, subject, limits, foreign }: WithoutSeqScan,
  need: Need,
  catalog: Catalog,
): Promise<Remedy | null> {
  const values = subject.values.flatMap((value) => parameterText(value) ?? [])
  const list = candidates(need, catalog, values)
  const trials = await tryIndexes(session, need, catalog.owner, list, { values: subject.values, limits })
  const able = list.filter(
    ({ method, keys, where }, place) =>
      trials[place] === 'taken' ||
      (trials[place] === 'unknown' &&
        method === 'btree' &&
        where === null &&
        keys.every((key) => /^[\w$ ]+$/.test(key))),
  )
  const best = foreign ? able[0] : await firstSelective(session, need, able, { values: subject.values, limits })
  if (best === undefined) return null
  if (exists(best, catalog)) return { text: '' }
  const how =
    trials[list.indexOf(best)] === 'taken'
      ? 'tried on an empty copy: the planner takes it'
      : foreign
        ? 'not tried: its conditions may run code of other roles, and are not planned here'
        : 'not tried: no empty copy can be made here'
  return { text: `${createText(need.table, best)} (${how})` }
}

function indexFor({ kind, about }: Rewrite, { root, indexes }: Catalog): string | null {
  if (kind === 'not materialized') return null
  const exists = indexes.some(
    ({ valid, method, columns, predicate }) =>
      valid && method === 'btree' && predicate === null && about.every((column, at) => columns[at] === column),
  )
  return exists ? null : `create index on ${root} (${about.join(', ')})`
}

function applies({ kind, about }: Rewrite, node: PlanNode, asked: ReadonlySet<string>): boolean {
  return kind === 'not materialized' ? about[0] === node.cteName : about.every((column) => asked.has(column))
}

async function columnsAsked(node: PlanNode): Promise<ReadonlySet<string>> {
  const condition = await readCondition(node.filter)
  return new Set(condition === null ? [] : comparisonsOf(condition).map(({ column }) => column))
}

/** Operators of conditions as pg_operator names them. */
const named: Readonly<Record<string, string>> = { in: '=', 'is null': '=', has: '@>' }

/** Of the table that a node reads, with the operators of its conditions. Throws the server's errors. */
export async function readCatalog(
  { session, limits, indexes, foreign }: Pick<WithoutSeqScan, 'session' | 'limits' | 'indexes' | 'foreign'>,
  node: PlanNode,
): Promise<Catalog> {
  const names = [node.schema, node.relation]
  const conditions = await Promise.all([node.filter, node.indexCondition].map(readCondition))
  const operators = conditions
    .flatMap((one) => (one === null ? [] : comparisonsOf(one)))
    .map(({ operator }) => named[operator] ?? operator)
  const [columns, classes, [identity]] = await rolledBack(session, limits, catalogOnly, async () => [
    await session.query<ColumnFacts & { readonly column: string }>(columnTypesSql, names),
    await session.query<TableCatalog['operators'][number]>(operatorClassesSql, [
      ...names,
      [...new Set(['=', ...operators])],
    ]),
    await session.query<Pick<Catalog, 'root' | 'owner' | 'owned'>>(tableIdentitySql, names),
  ])
  const table = tableOf(node)
  return {
    columns: new Map(columns.map(({ column, type, collation }) => [column, { type, collation }])),
    operators: classes,
    indexes: indexes.filter((index) => index.table === table),
    root: identity?.root ?? table,
    // Without an owner nothing is tried on a copy.
    owner: foreign ? null : (identity?.owner ?? null),
    owned: identity?.owned ?? false,
  }
}
