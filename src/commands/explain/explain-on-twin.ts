import { planDocument } from '../../measure/plan/plan-document.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import { costExpected, missedFindings, type CheckedExpectation } from '../../measure/query/expectations.js'
import { round } from '../../measure/query/result-queries.js'
import { ofQuery } from '../../measure/rules/findings.js'
import { plannedSeqScans } from '../../measure/rules/planned.js'
import { unqualified, type RuleFinding } from '../../measure/rules/rule.js'
import { admission } from '../../measure/query/measure-query.js'
import type { Subject } from '../../measure/sample/subject.js'
import type { Limits } from '../../measure/sample/limits.js'
import { failureOf } from '../../measure/sample/series.js'
import { smallPages } from '../../measure/sample/tables.js'
import { withThousands } from '../../text/amounts.js'
import type { Expectation, Query } from '../../profile/profile.js'
import type { ExplainResult, ResultQuery } from '../../result/documents/result.js'
import { exitCode } from '../../result/exit-code.js'
import { headOf, timesOf } from '../../result/head.js'
import type { LoneTwin, Twin } from '../../twin/twin.js'
import { skipsFrom } from '../../twin/suppose/skips.js'
import { chooseForEach } from '../../advise/choose/each.js'
import { indexesText } from '../../measure/why/advised-text.js'
import type { AdvisedIndexes } from '../../measure/sample/advisor.js'
import { advisedOf, onTwin, presentOf } from './advisor.js'
import { findingDocument } from '../shared/documents.js'
import { strangerFinding, twinDocument, type MadeTwin } from '../shared/twins.js'
import { brokenDocument } from './explain.js'
import type { Inputs } from './explain-inputs.js'

/**
 * The audit of queries on a twin of a statistics file, without the server that it is of: each is planned and none runs. Findings and expectations are
 * those that need no run. Exit codes as those of explain. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function runExplainOnTwin(
  { twin, findings }: MadeTwin<LoneTwin>,
  versionNum: number,
  { queries, broken }: Inputs,
  limits: Limits,
  startedAt: Date,
): Promise<ExplainResult> {
  const planned: (readonly Planned[] | string)[] = []
  for (const query of queries) planned.push(await plansOrReason(twin, query, limits))
  const advised = await advisedFor(
    twin,
    versionNum,
    planned.flatMap((plans) => (typeof plans === 'string' ? [] : plans)),
    limits,
  )
  const documents = queries.map((query, at) => documentOf(twin, query, planned[at] ?? [], advised))
  const [unread] = broken
  const refusals = documents.filter(
    ({ status, expectations }) => status === 'failed' || status === 'refused' || expectations.some(({ met }) => !met),
  ).length
  const code = exitCode({ ...(unread === undefined ? {} : { error: unread.problem }), refusals })
  return {
    ...headOf(code),
    ...timesOf(startedAt),
    command: 'explain',
    queries: [...documents, ...broken.map(brokenDocument)],
    comparisons: [],
    findings: findings.map(findingDocument),
    twin: twinDocument(twin, null),
  }
}

interface Planned {
  readonly params: string | null
  readonly plan: QueryPlan
  /** null of a generic query plan. */
  readonly subject: Subject | null
  readonly scans: readonly RuleFinding[]
  readonly strange: ReturnType<Twin['strangers']>
}

async function plansOrReason(twin: Twin, query: Query, limits: Limits): Promise<readonly Planned[] | string> {
  try {
    return await plansOf(twin, query, limits)
  } catch (error) {
    return `on the twin: ${failureOf(error, limits).reason}`
  }
}

type AdvisedFor = ReadonlyMap<Planned, AdvisedIndexes>

/** What advise would choose for those that read a whole table, each alone. Throws the server's errors, CONNECTION_LOST and INTERRUPTED. */
async function advisedFor(
  twin: LoneTwin,
  versionNum: number,
  planned: readonly Planned[],
  limits: Limits,
): Promise<AdvisedFor> {
  const presents = new Map(
    planned.flatMap((one) =>
      one.scans.length === 0 || one.subject === null
        ? []
        : [[one, presentOf(one.subject, one.plan, one.plan)] as const],
    ),
  )
  if (presents.size === 0) return new Map()
  await using session = await twin.look()
  const look = { twin, skips: versionNum >= skipsFrom }
  const choices = await chooseForEach(session, look, [...presents.values()], limits, null)
  return new Map(
    [...presents].flatMap(([one, present]) => {
      const advised = advisedOf(choices.get(present), onTwin)
      return advised === null ? [] : [[one, advised] as const]
    }),
  )
}

function documentOf(twin: Twin, query: Query, plans: readonly Planned[] | string, advised: AdvisedFor): ResultQuery {
  const { name, place, expect } = query
  if (typeof plans === 'string')
    return { name, status: 'failed', reason: plans, place: { ...place }, findings: [], expectations: [] }
  const worst = plans.toSorted((one, other) => other.plan.cost - one.plan.cost)[0]
  if (worst === undefined) return { name, status: 'not_measured', place: { ...place }, findings: [], expectations: [] }
  const checked = checks(twin, expect, plans)
  const scans = plans.flatMap((one) => one.scans.map((scan) => withAdvice(scan, advised.get(one))))
  const once = scans.filter((one, at) => scans.findIndex((other) => other.table === one.table) === at)
  const nodes = planDocument(worst.plan)
  return {
    name,
    ...(worst.params === null || plans.length === 1 ? {} : { params: worst.params }),
    status: 'planned',
    planned: {
      cost: round(worst.plan.cost),
      rows: worst.plan.nodes[0]?.estimatedRows ?? 0,
      indexes: [...worst.plan.indexes],
      plan_signature: worst.plan.signature,
      ...(nodes === null ? {} : { query_plan: nodes }),
    },
    place: { ...place },
    findings: [
      ...missedFindings(checked, query),
      ...once.map((one) => ofQuery(one, query)),
      ...plans.flatMap((one) => strangerFinding(query, one.strange)).slice(0, 1),
    ].map(findingDocument),
    expectations: checked.map(({ expect: expected, met, actual, notChecked = false }) => ({
      expect: expected,
      met,
      actual,
      ...(notChecked ? { not_checked: true as const } : {}),
    })),
  }
}

function withAdvice(scan: RuleFinding, advised: AdvisedIndexes | undefined): RuleFinding {
  const hint = advised === undefined ? null : indexesText(advised, scan.table ?? '')
  return hint === null ? scan : { ...scan, hint }
}

/** Each statement with each set of values; without values the generic query plan. Throws what planning throws. */
async function plansOf(twin: Twin, { sql, variants, parameters }: Query, limits: Limits): Promise<readonly Planned[]> {
  const texts = [...(sql === undefined ? [] : [sql]), ...variants.flatMap(({ statements }) => statements)]
  const found: Planned[] = []
  const add = (params: string | null, plan: QueryPlan, subject?: Subject) =>
    found.push({
      params,
      plan,
      subject: subject ?? null,
      strange: subject === undefined ? null : twin.strangers(subject),
      scans: plannedSeqScans(plan, (schema, name) => twin.table(schema, name)),
    })
  for (const written of texts) {
    // EXPLAIN carries nothing out.
    const admitted = await admission(written, { ...limits, allowWrites: true })
    if ('failure' in admitted) throw new Error(admitted.failure.reason)
    const { text, writes, parameterCount } = admitted.statement
    if (parameterCount > 0 && parameters.length === 0) add(null, await twin.generic({ text, writes }, parameterCount))
    else
      for (const set of parameterCount === 0 ? [null] : parameters) {
        const subject = { text, writes, values: set?.values.slice(0, parameterCount) ?? [] }
        add(set?.name ?? null, await twin.plan(subject), subject)
      }
  }
  return found
}

function checks(twin: Twin, expect: Expectation, plans: readonly Planned[]): readonly CheckedExpectation[] {
  const unrun = (what: string): CheckedExpectation => ({
    expect: what,
    met: true,
    notChecked: true,
    actual: 'not checked: nothing runs on a twin',
  })
  return [
    ...(expect.uses ?? []).map((index) => usesCheck(twin, index, plans)),
    ...(expect.speedup === undefined ? [] : [unrun(`speedup of at least ${expect.speedup}`)]),
    ...(expect.timeMs === undefined ? [] : [unrun(`median execution time of at most ${expect.timeMs} ms`)]),
    ...(expect.cost === undefined ? [] : [costCheck(expect.cost, plans)]),
    ...(expect.buffers === undefined ? [] : [unrun(`at most ${withThousands(expect.buffers)} buffers`)]),
    ...(expect.forbid ?? []).map((code) => (code === 'SEQ_SCAN' ? scanCheck(plans) : unrun(`no ${code}`))),
  ]
}

function usesCheck(twin: Twin, index: string, plans: readonly Planned[]): CheckedExpectation {
  const expect = `index ${index}`
  const missing = plans.find(({ plan }) => !twin.indexesOf(plan).includes(unqualified(index)))
  if (missing === undefined) return { expect, met: true, actual: index }
  const { plan, params } = missing
  const actual = plan.indexes.length === 0 ? 'no index' : plan.indexes.join(', ')
  const tables = plan.nodes.flatMap(({ schema, relation }) => twin.table(schema, relation) ?? [])
  if (tables.every(({ bytes }) => bytes < smallPages * 8192))
    return { expect, met: true, actual: `${actual} (its tables are too small to tell)` }
  return { expect, met: false, actual: inSet(params, actual) }
}

function costCheck(most: number, plans: readonly Planned[]): CheckedExpectation {
  const worst = Math.max(...plans.map(({ plan }) => plan.cost))
  return { expect: costExpected(most), met: worst <= most, actual: `a cost of ${withThousands(worst)}` }
}

function scanCheck(plans: readonly Planned[]): CheckedExpectation {
  const found = plans.flatMap(({ params, scans }) => scans.map(({ message }) => inSet(params, message)))[0]
  return { expect: 'no SEQ_SCAN', met: found === undefined, actual: found ?? 'no SEQ_SCAN' }
}

function inSet(params: string | null, text: string): string {
  return params === null || params === 'default' ? text : `${text} (${params})`
}
