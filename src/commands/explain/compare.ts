import { PerfdbError } from '../../errors.js'
import { planLines } from '../../measure/plan/signature.js'
import { round } from '../../measure/query/result-queries.js'
import { ruleFindings } from '../../measure/rules/findings.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { ComparedQuery, CompareResult } from '../../result/documents/compare-result.js'
import type { ResultFinding } from '../../result/documents/result.js'
import { headOf } from '../../result/head.js'
import { findingDocument } from '../shared/documents.js'
import { timeOf, type PlanGroup } from './plan-groups.js'
import { readPlanFiles } from './plan-files.js'
import { readResultQueries, type CompareSide } from './compare-documents.js'
import { linesOf } from './plan-sources.js'

/**
 * Two files, relative to `cwd`, side by side, each of query plans in any form that explain reads, or a result document of perfdb (--format json): shapes, costs, rows,
 * buffers, times, and which findings came and went. Queries are the same by name; two files of one query each are the same query. It judges
 * nothing: one run of each proves no difference in time. Throws FILE_NOT_FOUND, BAD_VALUE.
 */
export async function runCompare(before: string, after: string, cwd: string): Promise<CompareResult> {
  const [a, b] = [await readSide(before, cwd), await readSide(after, cwd)]
  const pairs = pairsOf(a.queries, b.queries)
  const findings = [...a.findings, ...b.findings]
  return {
    ...headOf(0),
    command: 'compare',
    before,
    after,
    queries: pairs.map(([x, y]) => compared(x, y)),
    only: {
      before: a.queries.filter((one) => !pairs.some(([x]) => x === one)).map(({ name }) => name),
      after: b.queries.filter((one) => !pairs.some(([, y]) => y === one)).map(({ name }) => name),
    },
    findings,
  }
}

interface Sides {
  readonly queries: readonly CompareSide[]
  readonly findings: readonly ResultFinding[]
}

async function readSide(file: string, cwd: string): Promise<Sides> {
  const documents = await resultQueries(file, cwd)
  if (documents !== null) return { queries: documents, findings: [] }
  const { groups, findings } = await readPlanFiles([{ name: file, lines: () => linesOf(file, cwd) }])
  return { queries: groups.map(sideOf), findings: findings.map(findingDocument) }
}

/** The queries of a result document; null for a file that is none. */
async function resultQueries(file: string, cwd: string): Promise<readonly CompareSide[] | null> {
  if (!file.toLowerCase().endsWith('.json')) return null
  const text = await readNamedFile(file, cwd, 'perfdb compare before.json after.json')
  const queries = readResultQueries(text)
  if (queries !== null && queries.length === 0)
    throw new PerfdbError('BAD_VALUE', `${file} holds no query`, {
      hint: 'perfdb explain ... --format json writes one',
    })
  return queries
}

function sideOf({ name, worst }: PlanGroup): CompareSide {
  const { plan } = worst
  const ran = plan.nodes.some(({ loops }) => loops > 0)
  const evidence = {
    plan,
    versionNum: plan.options.fractional ? 180_000 : 170_000,
    medianPlanningMs: plan.planningMs,
    medianExecutionMs: plan.executionMs ?? 0,
  }
  return {
    name,
    lines: planLines(plan.nodes),
    cost: plan.nodes.some(({ estimatedRows }) => estimatedRows > 0) || plan.cost > 0 ? plan.cost : null,
    rows: ran ? plan.rows : null,
    buffers: plan.options.buffers ? plan.buffers.hit + plan.buffers.read : null,
    ms: ran && timeOf(worst) > 0 ? round(timeOf(worst)) : null,
    codes: ruleFindings(evidence).map(({ code }) => code),
  }
}

function pairsOf(
  a: readonly CompareSide[],
  b: readonly CompareSide[],
): readonly (readonly [CompareSide, CompareSide])[] {
  const [x, y] = [a[0], b[0]]
  if (a.length === 1 && b.length === 1 && x !== undefined && y !== undefined) return [[x, y]]
  const named = a.flatMap((one) => {
    const other = b.find(({ name }) => name === one.name)
    return other === undefined ? [] : [[one, other] as const]
  })
  // Query plans without their statements are named after files and lines: then their order says which is which.
  const anonymous = named.length === 0 && a.length === b.length
  return anonymous ? a.flatMap((one, at) => (b[at] === undefined ? [] : [[one, b[at]] as const])) : named
}

function compared(a: CompareSide, b: CompareSide): ComparedQuery {
  const same = a.lines === null || b.lines === null ? null : a.lines.join('\n') === b.lines.join('\n')
  return {
    name: b.name === a.name || a.lines === null ? a.name : `${a.name} -> ${b.name}`,
    same_shape: same,
    cost: { before: a.cost, after: b.cost },
    rows: { before: a.rows, after: b.rows },
    buffers: { before: a.buffers, after: b.buffers },
    time: { before: a.ms, after: b.ms },
    ...(same === false ? { shapes: { before: [...(a.lines ?? [])], after: [...(b.lines ?? [])] } } : {}),
    findings: { gone: without(a.codes, b.codes), new: without(b.codes, a.codes) },
  }
}

function without(codes: readonly string[], others: readonly string[]): string[] {
  return [...new Set(codes.filter((code) => !others.includes(code)))].toSorted()
}
