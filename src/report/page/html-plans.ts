import type { ResultMeasurement, ResultPlanNode, ResultQuery } from '../../result/documents/result.js'
import { findingBlocks } from '../block/findings.js'
import { blockHtml } from './html-blocks.js'
import { html } from './html-text.js'
import { queryTitle, verdictTones } from '../blocks/queries.js'
import { count, duration, several, speedup } from '../../text/amounts.js'
import { type Result, isError, isFleet } from '../../result/results.js'

/** The query plans of a document as trees that fold, before beside after; empty where it has none. */
export function queryPlanHtml(result: Result): string {
  if (isError(result) || isFleet(result)) return ''
  const queries = result.command === 'demo' ? result.apply.queries : 'comparisons' in result ? result.queries : []
  return queries.map(queryHtml).join('\n').trim()
}

function queryHtml(query: ResultQuery): string {
  const before = query.before
  const after = query.after
  const sides = [
    ...(before === undefined ? [] : [{ name: after === undefined ? '' : 'before', measurement: before }]),
    ...(after === undefined ? [] : [{ name: before === undefined ? '' : 'after', measurement: after }]),
  ].filter(({ measurement }) => measurement.plan_signature !== '' || measurement.query_plan !== undefined)
  if (sides.length === 0) return ''
  return [
    `<details class="queryplan"><summary><span class="name">${html(queryTitle(query))}</span>${summaryHtml(query)}</summary>`,
    ...findingBlocks(query.findings).map(blockHtml),
    '<div class="sides">',
    ...sides.map(({ name, measurement }) => side(name, measurement)),
    '</div></details>',
  ].join('\n')
}

/** What makes a query plan worth opening: its verdict, whether it is another one, what was found in it. */
function summaryHtml({ before, after, verdict, speedup: times, findings }: ResultQuery): string {
  const codes = [...new Set(findings.map(({ code }) => code))]
  const change =
    before === undefined || after === undefined
      ? ''
      : before.plan_signature === after.plan_signature
        ? 'same query plan'
        : 'other query plan'
  const facts = [change, codes.length === 0 ? '' : `${several(findings.length, 'finding')}: ${codes.join(', ')}`]
  const result = verdict === undefined ? '' : `${verdict}${times === undefined ? '' : ` ${speedup(times)}`}`
  return [
    result === '' || verdict === undefined ? '' : ` <span class="${verdictTones[verdict]}">${html(result)}</span>`,
    ` <span class="quiet">${html(facts.filter((fact) => fact !== '').join('; '))}</span>`,
  ].join('')
}

function side(name: string, measurement: ResultMeasurement): string {
  const head = [name, `${duration(measurement.execution_ms.median)}, planning ${duration(measurement.planning_ms)}`]
  const nodes = measurement.query_plan ?? []
  const body =
    nodes.length === 0
      ? `<p class="name">${html(measurement.plan_signature)}</p>`
      : `<ul class="tree">${treeHtml(nested(nodes), greatestTime(nodes))}</ul>`
  return `<div class="side"><p class="title">${html(head.filter((part) => part !== '').join(': '))}</p>${body}</div>`
}

interface Branch {
  readonly node: ResultPlanNode
  readonly below: Branch[]
}

/** By the depths of the pre-order list; a node without its parent is taken for a root. */
function nested(nodes: readonly ResultPlanNode[]): readonly Branch[] {
  const roots: Branch[] = []
  const path: Branch[] = []
  for (const node of nodes) {
    const branch: Branch = { node, below: [] }
    path.length = Math.min(path.length, Math.max(0, node.depth))
    const siblings = path.at(-1)?.below ?? roots
    siblings.push(branch)
    path.push(branch)
  }
  return roots
}

function treeHtml(branches: readonly Branch[], greatest: number): string {
  return branches
    .map(({ node, below }) => {
      const text = nodeHtml(node, greatest)
      return below.length === 0
        ? `<li><div class="leaf">${text}</div></li>`
        : `<li><details open><summary>${text}</summary><ul>${treeHtml(below, greatest)}</ul></details></li>`
    })
    .join('\n')
}

function nodeHtml(node: ResultPlanNode, greatest: number): string {
  const share = greatest > 0 ? Math.min(100, Math.max(0, (node.self_ms / greatest) * 100)) : 0
  const bar = `<svg class="self" width="60" height="8" aria-hidden="true"><rect class="track" width="100%" height="8"/><rect class="main" width="${Number(share.toFixed(1))}%" height="8"/></svg>`
  const facts = [
    `${duration(node.self_ms)} by itself`,
    node.loops === 0
      ? 'never run'
      : `${count(node.rows)} rows (${count(node.estimated_rows)} expected)${node.loops > 1 ? `, ${count(node.loops)} times` : ''}`,
    `${count(node.buffers)} buffers`,
  ]
  const conditions = (node.conditions ?? []).map((condition) => `<span class="condition">${html(condition)}</span>`)
  return `<span class="node">${html(node.node)}</span> ${bar} <span class="quiet">${html(facts.join('; '))}</span>${conditions.join('')}`
}

function greatestTime(nodes: readonly ResultPlanNode[]): number {
  return Math.max(0, ...nodes.map((node) => node.self_ms).filter((ms) => Number.isFinite(ms)))
}
