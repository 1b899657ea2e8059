import { expect, test } from 'vitest'
import type { ApplyResult, ResultQuery } from '../../src/result/documents/result.js'
import { render } from '../../src/report/render.js'
import * as documents from './documents.js'
import { all, parseMarkup, withClass, type Element } from './markup.js'
import type { Result } from '../../src/result/results.js'

const { narrow } = documents
const every: readonly (readonly [name: string, result: Result])[] = [
  ['plan', documents.planDocument],
  ['nothing to do', documents.nothingToDo],
  ['empty plan', documents.emptyPlan],
  ['long plan', documents.longPlan],
  ['verify', documents.verifyDocument],
  ['apply', documents.applyDocument],
  ['failed apply', documents.applyFailed],
  ['rollback', documents.rollbackDocument],
  ['explain', documents.explainDocument],
  ['status', documents.statusDocument],
  ['pool', documents.poolDocument],
  ['pools', documents.poolsDocument],
  ['error', documents.errorDocument],
  ['errors', documents.manyErrors],
]

async function page(result: Result): Promise<Element> {
  return parseMarkup(await render(result, 'html', narrow))
}

test.each(every)('%s: a whole page that needs nothing else', async (_, result) => {
  const source = await render(result, 'html', narrow)
  expect(source.startsWith('<!doctype html>\n<html lang="en">\n')).toBe(true)
  expect(source.endsWith('</html>\n')).toBe(true)
  // Nothing is fetched and nothing runs, not even where the policy in the head is ignored.
  expect(source).not.toMatch(
    /<(script|link|img|iframe|object|embed|form|base)\b|\son\w+=|\bsrc=|@import|url\(|javascript:/i,
  )
  expect(source).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  const root = parseMarkup(source)
  expect(all(root, 'h1')).toHaveLength(1)
  expect(all(root, 'main')).toHaveLength(1)
  const [body] = all(root, 'body')
  expect(body?.children.map(({ name }) => name)).toEqual(['header', 'main', 'footer'])
  expect(all(root, 'th').every(({ text }) => text !== '')).toBe(true)
  expect(all(root, 'li').every((item) => item.attributes['role'] === undefined)).toBe(true)
  expect(all(root, 'title')[0]?.text).toContain(`perfdb ${result.command}: `)
})

test.each(every)(
  '%s: headings go down one level at a time, links lead somewhere, drawings have words',
  async (_, result) => {
    const root = await page(result)
    const levels = ordered(root)
      .filter(({ name }) => /^h[1-6]$/.test(name))
      .map(({ name }) => Number(name.slice(1)))
    expect(levels[0]).toBe(1)
    for (const [at, level] of levels.entries()) expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1)
    const ids = ordered(root).flatMap(({ attributes }) => (attributes['id'] === undefined ? [] : [attributes['id']]))
    expect(new Set(ids).size).toBe(ids.length)
    for (const link of all(root, 'a')) expect(ids).toContain(link.attributes['href']?.slice(1))
    // Each drawing is hidden from a screen reader, and the same stands beside it in words.
    for (const svg of all(root, 'svg'))
      expect([svg.attributes['aria-hidden'], hiddenAbove(root, svg)]).toContain('true')
    for (const row of withClass(root, 'chart').flatMap((chart) => all(chart, 'li'))) {
      if (row.attributes['aria-hidden'] === 'true') continue
      expect(withClass(row, 'label')[0]?.text.length).toBeGreaterThan(0)
      expect(withClass(row, 'value')[0]?.text.length).toBeGreaterThan(0)
    }
    for (const table of all(root, 'table')) {
      const heads = all(table, 'tr')[0]?.children.length ?? 0
      for (const row of all(table, 'tr')) expect(row.children).toHaveLength(heads)
      for (const head of all(table, 'th')) expect(head.attributes['scope']).toBe('col')
    }
  },
)

test('a hostile name is text wherever it stands', async () => {
  const name = `</style></title><script>alert(1)</script>"' onload=x &amp; \u202e\u001b[2J`
  const steps = documents.applyFailed.steps.map((step) => ({ ...step, index: name, table: name, sql: [name] }))
  const queries = documents.applyFailed.queries.map((query) => ({ ...query, name, params: name }))
  const result: ApplyResult = {
    ...documents.applyFailed,
    steps,
    queries: queries.map((query) => withPlan(query, name)),
    findings: [{ code: name, severity: 'error', message: name, hint: name, place: { file: name, line: 1, column: 1 } }],
  }
  const source = await render(result, 'html', narrow)
  expect(source).not.toContain('<script')
  expect(source).not.toMatch(/[\p{Cf}]|[^\P{Cc}\n]/u)
  const shown = all(parseMarkup(source), 'body')[0]?.text ?? ''
  expect(shown.split(`<script>alert(1)</script>"' onload=x &amp; \\u{202e}\\u{1b}[2J`).length).toBeGreaterThan(20)
})

test('the forest plot is logarithmic: twice as fast stands as far from 1 as half as fast', async () => {
  const of = (name: string, median: number): ResultQuery => ({
    name,
    status: 'measured',
    verdict: median > 1 ? 'faster' : 'slower',
    speedup: { median, low: median * 0.9, high: median * 1.1 },
    findings: [],
    expectations: [],
  })
  const queries = [of('half', 0.5), of('hundredfold', 100), of('twice', 2), of('tenfold', 10)]
  const root = await page({ ...documents.applyDocument, queries })
  const rows = chartRows(root, 'Speedup of each query')
  // The greatest first, each with its numbers and its verdict in words.
  expect(rows.map(({ label }) => label)).toEqual(['hundredfold', 'tenfold', 'twice', 'half'])
  expect(rows[0]?.value).toBe('100x (90-110) faster')
  const [hundred = 0, ten = 0, twice = 0, half = 0] = rows.map(({ element }) =>
    percentOf(all(element, 'circle')[0], 'cx'),
  )
  const one = percentOf(withClass(rows[0]?.element ?? root, 'reference')[0], 'x1')
  expect(twice - one).toBeCloseTo(one - half, 1)
  expect(ten - one).toBeCloseTo(hundred - ten, 1)
  expect(ten - one).toBeCloseTo((twice - one) / Math.log10(2), 0)
  const [bar] = withClass(rows[2]?.element ?? root, 'range')
  expect(percentOf(bar, 'x1')).toBeLessThan(twice)
  expect(percentOf(bar, 'x2')).toBeGreaterThan(twice)
})

test('steps lie end to end, waiting apart from working', async () => {
  const rows = chartRows(await page(documents.applyFailed), 'Where the time of the steps went')
  const bars = rows.map(({ element }) =>
    all(element, 'rect').map((rect) => [rect.attributes['class'], percentOf(rect, 'x'), percentOf(rect, 'width')]),
  )
  // 4.123 s, of it 1.210 s waiting, then 2.1 s that failed: 6.223 s in all.
  expect(bars).toEqual([
    [
      ['rest', 0, 19.44],
      ['main', 19.44, 46.81],
    ],
    [['bad', 66.25, 33.75]],
  ])
  expect(rows.map(({ value }) => value)).toEqual(['4.1 s, 1.2 s of it waiting', 'failed, 2.1 s'])
})

test('a step that waited says for whom, shortly at its bar and in full below', async () => {
  const waited_for = [
    'pid 4711, psql, user ann, idle in transaction, for 12 s: select * from jobs',
    "prepared transaction x (rollback prepared 'x' ends it)",
  ]
  const steps = documents.applyDocument.steps.map((step, at) => (at === 0 ? { ...step, waited_for } : step))
  const root = await page({ ...documents.applyDocument, steps })
  const [first] = chartRows(root, 'Where the time of the steps went')
  expect(first?.value).toBe('4.1 s, 1.2 s of it waiting for pid 4711, psql and 1 more')
  expect(all(root, 'main')[0]?.text).toContain(`idx_jobs_status_created_at: 1.2 s for ${waited_for.join('; ')}`)
})

test('how the samples lie: a box from quartile to quartile inside a line from the least to the most', async () => {
  const spread = { least: 100, lower: 200, upper: 400, most: 1000 }
  const queries = documents.applyDocument.queries.map((query) => ({
    ...query,
    ...(query.before === undefined ? {} : { before: { ...query.before, spread_ms: spread } }),
    ...(query.after === undefined
      ? {}
      : { after: { ...query.after, spread_ms: { least: 1, lower: 2, upper: 4, most: 10 } } }),
  }))
  const rows = chartRows(await page({ ...documents.applyDocument, queries }), 'Distribution of the execution times')
  const compared = queries.filter(({ before, after }) => before !== undefined && after !== undefined)
  expect(rows).toHaveLength(2 * compared.length)
  expect(rows[0]?.value).toBe('214 ms, half 200 ms to 400 ms, all 100 ms to 1.0 s')
  const [box] = rows[0] === undefined ? [] : all(rows[0].element, 'rect')
  const [line] = rows[0] === undefined ? [] : withClass(rows[0].element, 'range')
  const decade = percentOf(line, 'x2') - percentOf(line, 'x1')
  expect(percentOf(box, 'width') / decade).toBeCloseTo(Math.log10(2), 2)
  expect((percentOf(box, 'x') - percentOf(line, 'x1')) / decade).toBeCloseTo(Math.log10(2), 2)
})

test('the waterfall goes down from max_connections and below zero where it does not fit', async () => {
  const root = await page(documents.poolDocument)
  const rows = chartRows(root, 'primary: from max_connections down to the headroom')
  // From -36 to 100: zero stands at 36/136.
  const zero = 26.47
  const drawn = rows.map(({ label, element }) => ({
    label,
    bars: all(element, 'rect').map((rect) => [
      rect.attributes['class'],
      percentOf(rect, 'x'),
      percentOf(rect, 'width'),
    ]),
  }))
  expect(drawn[0]).toEqual({ label: 'max_connections', bars: [['quiet', zero, 73.53]] })
  expect(drawn.find(({ label }) => label === 'available')?.bars).toEqual([['good', zero, 71.32]])
  expect(drawn.find(({ label }) => label === 'api')?.bars).toEqual([['main', 33.82, 58.82]])
  expect(drawn.find(({ label }) => label === 'api, rollout')?.bars).toEqual([
    ['main', zero, 4.41],
    ['warn', 1.47, 25],
  ])
  expect(drawn.find(({ label }) => label === 'headroom, peak')?.bars).toEqual([['bad', 0, zero]])
  expect(rows.at(-1)?.value).toBe('−36')
  // Above the table of the same numbers, not at the end of the page.
  const order = ordered(root)
  const chart = order.findIndex((element) => element.attributes['class'] === 'chart')
  expect(order.slice(chart).some((element) => element.name === 'table')).toBe(true)
})

test('the fold of a query plan tells what is in it: the verdict, whether the plan changed, its findings', async () => {
  const finding = { code: 'SEQ_SCAN', severity: 'warning' as const, message: 'reads all of jobs' }
  const [first] = documents.applyDocument.queries
  if (first === undefined) throw new Error('no query')
  const root = await page({
    ...documents.applyDocument,
    queries: [{ ...withPlan(first, 'jobs'), findings: [finding] }],
  })
  const [plan] = withClass(root, 'queryplan')
  const [summary] = plan === undefined ? [] : all(plan, 'summary')
  expect(summary?.text).toMatch(/^jobs-by-status \(hot\) faster 52x \(.*\) same query plan; 1 finding: SEQ_SCAN$/)
  expect(plan?.text).toContain('warning[SEQ_SCAN] reads all of jobs')
})

test('a query plan is a tree that folds, with conditions and the time of each node', async () => {
  const [first] = documents.applyDocument.queries
  if (first === undefined) throw new Error('no query')
  const root = await page({ ...documents.applyDocument, queries: [withPlan(first, 'jobs')] })
  const [plan] = withClass(root, 'queryplan')
  expect(plan?.name).toBe('details')
  const sides = plan === undefined ? [] : withClass(plan, 'side')
  expect(sides.map((side) => withClass(side, 'title')[0]?.text)).toEqual([
    'before: 214 ms, planning 0.21 ms',
    'after: 4.1 ms, planning 0.21 ms',
  ])
  const [tree] = sides[0] === undefined ? [] : withClass(sides[0], 'tree')
  const [limit] = tree === undefined ? [] : all(tree, 'details')
  expect(limit?.attributes).toHaveProperty('open')
  expect(limit?.children.map(({ name }) => name)).toEqual(['summary', 'ul'])
  expect(tree === undefined ? [] : withClass(tree, 'node').map(({ text }) => text)).toEqual(['Limit', 'Seq Scan jobs'])
  expect(tree?.text).toContain('Filter: (status = jobs)')
  expect(tree?.text).toContain('9.0 ms by itself; 50 rows (60 expected), 2 times; 61 buffers')
})

/** Before and after with a query plan of two nodes. */
function withPlan(query: ResultQuery, name: string): ResultQuery {
  const nodes = [
    { depth: 0, node: 'Limit', estimated_rows: 50, rows: 50, loops: 1, self_ms: 0.1, buffers: 61 },
    {
      depth: 1,
      node: `Seq Scan ${name}`,
      estimated_rows: 60,
      rows: 50,
      loops: 2,
      self_ms: 9,
      buffers: 61,
      conditions: [`Filter: (status = ${name})`],
    },
  ]
  return {
    ...query,
    ...(query.before === undefined ? {} : { before: { ...query.before, query_plan: nodes } }),
    ...(query.after === undefined ? {} : { after: { ...query.after, query_plan: nodes } }),
  }
}

function chartRows(root: Element, title: string) {
  const list = all(root, 'ul').find((element) => element.attributes['aria-label'] === title)
  const rows = (list?.children ?? []).filter((row) => row.attributes['aria-hidden'] !== 'true')
  return rows.map((element) => ({
    element,
    label: withClass(element, 'label')[0]?.text ?? '',
    value: withClass(element, 'value')[0]?.text ?? '',
  }))
}

function percentOf(element: Element | undefined, attribute: string): number {
  return Number((element?.attributes[attribute] ?? '').replace(/%$/, ''))
}

function ordered(element: Element): Element[] {
  return element.children.flatMap((child) => [child, ...ordered(child)])
}

function hiddenAbove(root: Element, element: Element): string | undefined {
  return ordered(root).find((above) => above.children.includes(element))?.attributes['aria-hidden']
}
