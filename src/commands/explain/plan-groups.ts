import type { FoundPlan } from './plan-entry.js'
import { namer, shortName } from './short-name.js'

/** A statement as it stands in a file, with its constants and values, and how often. */
export interface Called extends Pick<FoundPlan, 'sql' | 'parameters' | 'line'> {
  readonly file: string
  readonly calls: number
}

/** Query plans of one shape for one statement, whatever its constants: what a log repeats. */
export interface PlanGroup {
  readonly name: string
  readonly file: string
  /** The slowest of them. */
  readonly worst: FoundPlan
  readonly calls: number
  readonly totalMs: number
  /** Rows of all of them. */
  readonly rows: number
  /** The first few that differ in constants or values; none of the others is kept. */
  readonly called: readonly Called[]
}

/** Statements of one kind that are kept with their constants: more would make a log of thousands of kinds as many queries. */
const mostCalled = 3

/** Collects query plans as they are read and keeps the slowest of each kind, so that a log takes the memory of its kinds. */
export function planGroups() {
  const groups = new Map<string, Omit<PlanGroup, 'name'>>()
  return {
    add(found: FoundPlan, file: string): void {
      const key = found.sql === '' ? `${file} ${found.line}` : `${constantsLeftOut(found.sql)}\n${found.plan.signature}`
      const before = groups.get(key)
      const ms = timeOf(found)
      const worst = before !== undefined && timeOf(before.worst) >= ms ? before.worst : found
      groups.set(key, {
        file: before !== undefined && worst === before.worst ? before.file : file,
        worst,
        calls: (before?.calls ?? 0) + 1,
        totalMs: (before?.totalMs ?? 0) + ms,
        rows: (before?.rows ?? 0) + found.plan.rows,
        called: calledAgain(before?.called ?? [], found, file),
      })
    },
    /** Slowest in sum first where a log says how often; else as they stand in the files. */
    all(): readonly PlanGroup[] {
      const list = [...groups.values()]
      const several = list.filter(({ file }) => file === list[0]?.file).length > 1
      const named = list.map((group) => ({ ...group, name: nameOf(group.worst, group.file, several) }))
      const ordered = list.some(({ calls, worst }) => calls > 1 || worst.durationMs !== null)
        ? named.toSorted((a, b) => b.totalMs - a.totalMs)
        : named
      const unique = namer()
      return ordered.map((group) => ({ ...group, name: unique(group.name) }))
    },
  }
}

function calledAgain(called: readonly Called[], found: FoundPlan, file: string): readonly Called[] {
  const { sql, parameters, line } = found
  const same = called.find((one) => one.sql === sql && one.parameters === parameters)
  if (same !== undefined) return called.map((one) => (one === same ? { ...one, calls: one.calls + 1 } : one))
  return called.length === mostCalled ? called : [...called, { sql, parameters, line, file, calls: 1 }]
}

/** Planning, execution and sending where a log knows it. */
export function timeOf({ plan, durationMs }: FoundPlan): number {
  return plan.executionMs ?? durationMs ?? plan.nodes[0]?.wallMs ?? 0
}

function nameOf({ sql, line }: FoundPlan, file: string, several: boolean): string {
  if (sql !== '') return shortName(sql)
  return several ? `${file}:${line}` : file
}

function constantsLeftOut(sql: string): string {
  return sql
    .replaceAll(/'(?:[^']|'')*'/g, '?')
    .replaceAll(/\b\d+(?:\.\d+)?\b/g, '?')
    .replaceAll(/\s+/g, ' ')
}
