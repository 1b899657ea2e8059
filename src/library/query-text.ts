import type { ResultPlanNode, ResultQuery } from '../result/documents/result.js'

/** A query that is not what was expected, for an assertion's message: what was missed, the findings, and the query plan, 20 lines of it at most. */
export function queryText(sql: string, query: ResultQuery): string {
  const missed = query.expectations.filter((one) => !one.met)
  const told = query.findings.filter((one) => one.severity === 'warning')
  const hints = new Set(query.findings.flatMap((one) => (one.code === 'EXPECTATION_MISSED' ? (one.hint ?? []) : [])))
  const nodes = query.after?.query_plan ?? []
  return [
    missed.length === 0
      ? `this query could not be measured: ${query.reason ?? query.status}`
      : 'this query is not what is expected of it',
    ...missed.map(({ expect, actual }) => `  expected ${expect}, got ${actual}`),
    ...[...hints].map((hint) => `  ${hint}`),
    ...(/changes data/.test(query.reason ?? '') ? ['  allowWrites: true measures it, rolled back'] : []),
    '',
    `  ${cut(sql.replace(/\s+/g, ' ').trim(), 100)}`,
    ...(nodes.length === 0 ? [] : ['', 'query plan:', ...nodes.slice(0, most).map(nodeLine)]),
    ...(nodes.length > most ? [`  ... ${nodes.length - most} more`] : []),
    ...(told.length === 0 ? [] : ['', 'findings:', ...told.map(({ code, message }) => `  ${code}: ${message}`)]),
  ].join('\n')
}

const most = 20

function nodeLine({ depth, node, rows, estimated_rows, loops, buffers, conditions = [] }: ResultPlanNode): string {
  const times = loops === 1 ? '' : ` x ${loops}`
  const condition = conditions.length === 0 ? '' : `  ${cut(conditions.join(', '), 70)}`
  return `${'  '.repeat(depth + 1)}${node} (rows ${rows}${times}, estimated ${estimated_rows}, buffers ${buffers})${condition}`
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 3)}...` : text
}
