import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderPrometheus } from '../../src/report/prometheus.js'
import { sampleLine } from '../../src/report/pool-sample.js'
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
