import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { waterfallChart } from '../../src/report/page/chart-pool.js'
import { poolBlocks } from '../../src/report/blocks/pool.js'
import { renderPrometheus } from '../../src/report/machine/prometheus.js'
import { sampleLine } from '../../src/report/blocks/pool-sample.js'
import { poolDocument, poolsDocument } from './documents.js'

const [primary] = poolDocument.servers

/** The grammar of https://prometheus.io/docs/instrumenting/exposition_formats/, and that samples of a metric stand together. */
function metricsOf(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true)
  const values = new Map<string, number>()
  const finished = new Set<string>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line)?.[1]
    if (help !== undefined) {
      expect(finished).not.toContain(help)
      finished.add(help)
      current = help
      continue
    }
    if (line.startsWith('#')) {
      expect(line).toBe(`# TYPE ${current} gauge`)
      continue
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:,(?!\}))?)*\})?) (-?[0-9.e+-]+)$/.exec(
        line,
      )
    expect(sample, line).not.toBeNull()
    expect(sample?.[1]).toBe(current)
    const key = `${sample?.[1]}${sample?.[2]}`
    expect(values.has(key)).toBe(false)
    values.set(key, Number(sample?.[3]))
  }
  return values
}

test('metrics of every server and service, those that are not known left out', () => {
  const metrics = metricsOf(renderPrometheus(poolsDocument))
  expect(metrics.get('perfdb_pool_max_connections{server="primary"}')).toBe(100)
  expect(metrics.get('perfdb_pool_headroom_connections{server="primary"}')).toBe(-36)
  expect(metrics.has('perfdb_pool_headroom_connections{server="replica"}')).toBe(false)
  expect(metrics.get('perfdb_pool_service_peak_connections{server="primary",service="api"}')).toBe(120)
  expect(metrics.get('perfdb_pool_server_verdict{server="primary",verdict="fail"}')).toBe(1)
  expect(metrics.get('perfdb_pool_server_verdict{server="primary",verdict="ok"}')).toBe(0)
  expect(metrics.get('perfdb_pool_findings{severity="error"}')).toBe(1)
  expect(metrics.get('perfdb_pool_exit_code')).toBe(1)
})

test('whatever a server is called, the text stays valid', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      if (primary === undefined) return
      metricsOf(renderPrometheus({ ...poolDocument, servers: [{ ...primary, name }] }))
    }),
  )
  const text = renderPrometheus({
    ...poolDocument,
    servers: primary === undefined ? [] : [{ ...primary, name: 'a"b\\c\nd' }],
  })
  expect(text).toContain('perfdb_pool_max_connections{server="a\\"b\\\\c\\nd"} 100')
})

test('a look is one line', () => {
  const sample = { at: '2026-01-02T03:04:05.678Z', server: 'main', verdict: 'OK' as const }
  expect(sampleLine({ ...sample, sessions: 45, available: 97, headroom: 52 })).toBe(
    '2026-01-02T03:04:05Z  main    45 of 97 sessions    52 left  OK',
  )
  const refused = { ...sample, sessions: null, available: 97, headroom: 0, message: 'main: no\nslot' }
  expect(sampleLine({ ...refused, verdict: 'FAIL' })).not.toContain('\n')
})

function firstLines(result: typeof poolDocument): readonly string[] {
  return poolBlocks(result)
    .slice(0, 5)
    .map((block) => {
      if (block.kind === 'items') return `${block.title}: ${block.items.map((item) => item.label).join(' ')}`
      return block.kind === 'verdict' || block.kind === 'text' ? block.text : block.kind
    })
    .filter((text) => text !== '')
}

test('what caused the verdict stands before every table, the slots of the worst server first', () => {
  const about = { message: 'm', place: { file: 'a.yaml', line: 3, column: 1 } }
  const made = (code: string, severity: 'error' | 'warning' | 'info') => ({
    ...about,
    code,
    severity,
    server: 'primary',
  })
  const one = {
    ...poolDocument,
    findings: [made('BOOT_STORM', 'info'), made('ROLE_LIMIT', 'error'), made('POOL_OVER', 'error')],
  }
  expect(firstLines(one)).toEqual([
    expect.stringMatching(/^FAIL: primary needs 133 of 97/),
    expect.any(String),
    '2 errors: error[POOL_OVER] error[ROLE_LIMIT]',
    'grid',
  ])
  const many = { ...one, findings: Array.from({ length: 7 }, () => made('QUEUE_WAIT', 'error')) }
  expect(firstLines(many)).toContain(
    '3 of 7 errors, the others below: error[QUEUE_WAIT] error[QUEUE_WAIT] error[QUEUE_WAIT]',
  )
  const all = poolBlocks(many).flatMap((block) => (block.kind === 'items' ? block.items : []))
  expect(all.filter((item) => item.label === 'error[QUEUE_WAIT]')).toHaveLength(7)
  const warned = { ...one, verdict: 'WARN' as const, findings: [made('POOL_NEAR', 'warning')] }
  expect(firstLines(warned)[2]).toBe('1 warning: warning[POOL_NEAR]')
})

test('a server without a free connection is told so, one whose slots fit is not blamed for them', () => {
  const verdictOf = (code: string, headroom: number) => {
    if (primary === undefined) return ''
    const found = { code, severity: 'error' as const, server: 'primary', message: 'm' }
    return firstLines({ ...poolDocument, servers: [{ ...primary, headroom }], findings: [found] })[0]
  }
  expect(verdictOf('SERVER_FULL', -36)).toBe('FAIL: primary has no free connection now')
  expect(verdictOf('ROLE_LIMIT', 20)).toBe('FAIL: m; primary needs 77 of 97 connections at the peak, 20 left')
})

test('many names are cut, and many services are one line of the drawing', () => {
  if (primary === undefined) return
  const names = Array.from({ length: 200 }, (_, index) => `svc${index}`)
  const line = { kind: 'service' as const, steady: 1, peak: 1, warm: 0, nominal: 1, sum: '1 instance x pool 1 = 1' }
  const large = {
    ...primary,
    services: names.map((name) => ({ ...line, name })),
    limits: [{ kind: 'role' as const, name: 'app', limit: 5, peak: 200, services: names }],
    waterfall: [
      { label: 'max_connections', connections: 100, total: false },
      ...names.map((label) => ({ label, connections: -1, total: false })),
      { label: 'headroom, steady', connections: -100, total: true },
    ],
  }
  expect(waterfallChart(large).rows).toHaveLength(12 + 3)
  expect(JSON.stringify(poolBlocks({ ...poolDocument, servers: [large] }))).toContain('svc0, svc1, svc2 and 197 more')
})

test('a change stands beside what is declared before every table', () => {
  if (primary === undefined) return
  const before = { peak: 133, headroom: -36, verdict: 'FAIL' as const }
  const servers = [{ ...primary, headroom: 60, verdict: 'OK' as const, before }]
  const changed = { ...poolDocument, verdict: 'OK' as const, findings: [], what_if: ['api.instances=1'], servers }
  expect(firstLines(changed).slice(0, 2)).toEqual([
    'OK: primary needs 37 of 97 connections at the peak, 60 left',
    expect.stringMatching(/with api\.instances=1 \(as declared: FAIL, headroom -36\)$/),
  ])
})
