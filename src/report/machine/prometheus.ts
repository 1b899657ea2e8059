import type { PoolResult, PoolServer } from '../../result/documents/pool-result.js'

/**
 * The numbers of check-pool as text for a textfile collector (exposition format 0.0.4: one HELP and one TYPE a metric, its samples together,
 * no timestamps). What is not known has no sample. https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function renderPrometheus({ servers, verdict, findings, exit_code: exitCode }: PoolResult): string {
  const of = (value: (server: PoolServer) => number | null) =>
    servers.map((server): Sample => [{ server: server.name }, value(server)])
  const parts = (value: (line: PoolServer['services'][number]) => number) =>
    servers.flatMap((server) =>
      server.services
        .filter((line) => line.via === undefined)
        .map((line): Sample => [{ server: server.name, service: line.name }, value(line)]),
    )
  return [
    metric(
      'perfdb_pool_max_connections',
      'max_connections of the server.',
      of((server) => server.max_connections),
    ),
    metric(
      'perfdb_pool_available_connections',
      'Connections that ordinary roles may hold.',
      of((server) => server.available),
    ),
    metric(
      'perfdb_pool_declared_steady_connections',
      'Declared, all instances up.',
      of((server) => server.declared.steady),
    ),
    metric(
      'perfdb_pool_declared_peak_connections',
      'Declared, in a rollout.',
      of((server) => server.declared.peak),
    ),
    metric(
      'perfdb_pool_headroom_connections',
      'Left at the peak; below 0 too many.',
      of((server) => server.headroom),
    ),
    metric(
      'perfdb_pool_sessions',
      'Client backends, the most of all looks.',
      of((server) => server.live),
    ),
    metric(
      'perfdb_pool_undeclared_sessions',
      'Sessions of nobody in the file.',
      of((server) => server.unmanaged),
    ),
    metric(
      'perfdb_pool_service_steady_connections',
      'By service or pooler, all instances up.',
      parts((line) => line.steady),
    ),
    metric(
      'perfdb_pool_service_peak_connections',
      'By service or pooler, in a rollout.',
      parts((line) => line.peak),
    ),
    metric(
      'perfdb_pool_load_erlangs',
      'Connections busy on average, by database.',
      servers.flatMap((server) =>
        (server.load ?? []).map((load): Sample => [{ server: server.name, database: load.database }, load.erlangs]),
      ),
    ),
    metric(
      'perfdb_pool_server_verdict',
      '1 for the verdict of the server, 0 for the others.',
      servers.flatMap((server) => states({ server: server.name }, server.verdict)),
    ),
    metric('perfdb_pool_verdict', '1 for the verdict of all, 0 for the others.', states({}, verdict)),
    metric(
      'perfdb_pool_findings',
      'Findings by severity.',
      (['error', 'warning', 'info'] as const).map((severity): Sample => [
        { severity },
        findings.filter((finding) => finding.severity === severity).length,
      ]),
    ),
    metric('perfdb_pool_exit_code', 'Exit code of check-pool: 0 fits, 1 does not or is not known, 2 could not start.', [
      [{}, exitCode],
    ]),
  ].join('')
}

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | null]

function states(labels: Readonly<Record<string, string>>, verdict: PoolResult['verdict']): readonly Sample[] {
  return (['OK', 'WARN', 'FAIL', 'UNKNOWN'] as const).map((one): Sample => [
    { ...labels, verdict: one.toLowerCase() },
    one === verdict ? 1 : 0,
  ])
}

/** '' where nothing is known: a HELP without samples helps nobody. */
export function metric(full: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.flatMap(([labels, value]) => (value === null ? [] : [`${full}${labelText(labels)} ${value}`]))
  if (lines.length === 0) return ''
  return `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${lines.join('\n')}\n`
}

/** A label's value escapes backslash, quote and line feed, and nothing else. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', ' ')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
