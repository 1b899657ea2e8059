import { PerfdbError, type Place } from '../../errors.js'
import { planDocument } from '../../measure/plan/plan-document.js'
import { round } from '../../measure/query/result-queries.js'
import { ofQuery, ruleFindings } from '../../measure/rules/findings.js'
import type { RuleFinding } from '../../measure/rules/rule.js'
import type { Finding } from '../../plan/plan.js'
import type { ExplainResult, ResultQuery } from '../../result/documents/result.js'
import { headOf, timesOf } from '../../result/head.js'
import type { Session } from '../../server/session/session.js'
import { about, findingDocument } from '../shared/documents.js'
import { planEntries } from './plan-entries.js'
import { readEntry } from './plan-entry.js'
import { planGroups, timeOf, type PlanGroup } from './plan-groups.js'

export interface PlanSource {
  readonly name: string
  readonly lines: () => AsyncIterable<string>
}

export interface PlanFileOptions {
  /** With a server: what its catalog knows of the tables. */
  readonly session?: Session | undefined
}

/** Query plans of files, each kind once, and what of them could not be read. Throws BAD_VALUE when nothing could. */
export async function readPlanFiles(
  sources: readonly PlanSource[],
): Promise<{ readonly groups: readonly PlanGroup[]; readonly findings: readonly Finding[] }> {
  const groups = planGroups()
  const unread: Finding[] = []
  for (const { name, lines } of sources) {
    for await (const entry of planEntries(lines())) {
      for (const found of readEntry(entry)) {
        if ('plan' in found) groups.add(found, name)
        else unread.push(unreadFinding(found.problem, { file: name, line: found.line, column: 1 }))
      }
    }
  }
  const all = groups.all()
  const [first] = unread
  if (all.length > 0) return { groups: all, findings: unread.slice(0, mostUnread) }
  const names = sources.map(({ name }) => name).join(', ')
  throw new PerfdbError(
    'BAD_VALUE',
    first === undefined
      ? `there is no query plan in ${names}`
      : `${names} holds no query plan that can be read: ${first.message}`,
    {
      hint: 'explain (analyze, buffers, verbose, settings, format json) ..., its text form, or a log with auto_explain',
      ...(first?.place === undefined ? {} : { place: first.place }),
    },
  )
}

const mostUnread = 50

function unreadFinding(problem: string, place: Place): Finding {
  return { code: 'PLAN_UNREADABLE', severity: 'warning', message: problem, place }
}

/**
 * The audit of query plans that somebody else made: findings as far as their options go, without a server. With one, the advice is of its
 * catalog and of the empty copies that it makes; nothing is run of what the plans are of. Throws BAD_VALUE, FILE_NOT_FOUND and the server's errors.
 */
export async function explainPlanFiles(
  sources: readonly PlanSource[],
  { session }: PlanFileOptions,
): Promise<ExplainResult> {
  const startedAt = new Date()
  const { groups, findings } = await readPlanFiles(sources)
  const whole = groups.reduce((sum, { totalMs }) => sum + totalMs, 0)
  // Of a log with thousands of kinds the nodes of the first ones say enough.
  const queries: ResultQuery[] = []
  for (const [at, group] of groups.entries()) queries.push(await queryDocument(group, whole, at < mostPlans, session))
  const head = session === undefined ? { ...headOf(0), ...timesOf(startedAt) } : about(0, session, startedAt)
  return { ...head, command: 'explain', queries, comparisons: [], findings: findings.map(findingDocument) }
}

const mostPlans = 100

async function queryDocument(
  { name, file, worst, calls, totalMs, rows }: PlanGroup,
  whole: number,
  withNodes: boolean,
  session: Session | undefined,
): Promise<ResultQuery> {
  const { plan, line, sql, parameters } = worst
  const versionNum = plan.options.fractional ? 180_000 : 170_000
  const times = { medianPlanningMs: plan.planningMs, medianExecutionMs: plan.executionMs ?? 0 }
  const found: readonly RuleFinding[] = ruleFindings({ plan, versionNum, ...times })
  const place = { file, line, column: 1 }
  const { catalogAdvice } = await import('./plan-advice.js')
  const advised = session === undefined ? found : await catalogAdvice(session, plan, found)
  const ms = timeOf(worst)
  const ran = plan.nodes.some(({ loops }) => loops > 0)
  const nodes = withNodes ? planDocument(plan) : null
  return {
    name,
    status: ran ? 'measured' : 'not_measured',
    ...(ran ? {} : { reason: 'EXPLAIN without ANALYZE: nothing ran' }),
    ...(ran
      ? {
          after: {
            samples: 1,
            execution_ms: { median: round(ms), low: round(ms), high: round(ms) },
            planning_ms: round(plan.planningMs),
            buffers: { ...plan.buffers },
            rows: plan.rows,
            indexes: [...plan.indexes],
            plan_signature: plan.signature,
            ...(nodes === null ? {} : { query_plan: nodes }),
          },
        }
      : {}),
    cost: plan.cost,
    ...(sql === '' ? {} : { sql }),
    ...(parameters === '' ? {} : { parameters }),
    ...(worst.durationMs === null
      ? {}
      : {
          calls,
          total_ms: round(totalMs),
          mean_ms: round(totalMs / calls),
          rows,
          share: round(totalMs / Math.max(whole, 0.001)),
        }),
    place,
    findings: advised.map((one) => findingDocument(ofQuery(one, { name, place }))),
    expectations: [],
  }
}
