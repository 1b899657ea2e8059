import type { Reporter } from './reporter.js'
import type { Deploy, Runtime, Share } from '../sums/model.js'
import { platforms } from '../sums/platforms.js'
import { runtimeKind } from '../sums/runtimes.js'
import { durationMs, percentOf } from '../../text/units.js'
import type { WrittenService } from './schema.js'

/** What the kind and its worker class do by themselves, and what the file says instead. */
export function completeRuntime(
  { runtime, pool }: WrittenService,
  reporter: Reporter,
  path: readonly string[],
): Runtime {
  const name = runtime?.kind ?? 'other'
  const workerClass = runtime?.worker_class ?? classByDriver(name, pool?.driver)
  const kind = runtimeKind(name, workerClass)
  const serverless = name === 'serverless' || name === 'lambda'
  if (serverless && runtime?.max_concurrency === undefined)
    reporter.problem(
      [...path, 'runtime'],
      `${path.join('.')}.runtime: ${name} needs max_concurrency`,
      'the limit of concurrent functions',
    )
  const concurrency = {
    processes: undefined,
    threads: undefined,
    [kind.concurrency ?? 'threads']: runtime?.concurrency,
  }
  const written = runtime?.processes ?? runtime?.workers ?? concurrency.processes
  const processes = written ?? kind.processes
  if (processes === null)
    reporter.find({
      code: 'RUNTIME_UNKNOWN',
      severity: 'warning',
      path: [...path, 'runtime'],
      message: `${path.at(-1)}: ${name} starts a process for each processor, and the file does not say how many; counted as 1`,
      hint: `runtime.${kind.concurrency === 'processes' ? 'concurrency' : 'processes'}: 8`,
    })
  const threads = runtime?.threads ?? concurrency.threads ?? kind.threads
  const assumed = runtime?.threads === undefined && concurrency.threads === undefined && kind.threads !== null
  return {
    kind: name,
    processes: processes ?? 1,
    threads,
    ...(assumed && { threadsAssumed: true as const }),
    scope: runtime?.scope ?? 'process',
    maxConcurrency: serverless ? (runtime?.max_concurrency ?? 1) : null,
    overlap: runtime?.overlap ?? 1,
  }
}

/** asyncpg works on an event loop alone, and so gunicorn has another worker class than its default. */
function classByDriver(kind: string, driver: string | undefined): 'uvicorn' | undefined {
  return kind === 'gunicorn' && driver === 'asyncpg' ? 'uvicorn' : undefined
}

/** Without a strategy that of the platform, which is Kubernetes unless the file names another; functions and scheduled jobs are not rolled out. */
export function completeDeploy(
  { deploy, startup, termination }: WrittenService,
  runtime: Runtime,
  countTerminating: boolean,
): Deploy {
  if (deploy?.strategy === undefined && deploy?.platform === undefined && !isRolledOut(runtime))
    return { strategy: 'none' }
  const platform = platforms[deploy?.platform ?? 'kubernetes']
  const [start, end] = [deploy?.startup ?? startup, deploy?.termination ?? termination]
  switch (deploy?.strategy ?? platform.strategy) {
    case 'recreate':
    case 'blue_green':
      return { strategy: deploy?.strategy === 'blue_green' ? 'blue_green' : 'recreate' }
    case 'canary':
      return { strategy: 'canary', share: shareOf(deploy?.canary ?? '10%') }
    case 'rolling':
      return {
        strategy: 'rolling',
        maxSurge: shareOf(deploy?.max_surge ?? platform.maxSurge),
        maxUnavailable: shareOf(deploy?.max_unavailable ?? platform.maxUnavailable),
        countTerminating: deploy?.count_terminating ?? countTerminating,
        endsQuickly: start !== undefined && end !== undefined && durationMs(end) < durationMs(start),
        ...(deploy?.strategy === undefined && deploy?.platform === undefined && { assumed: true }),
      }
  }
}

/** Functions come and go by themselves, and a scheduled job is not replaced while it runs. */
function isRolledOut({ kind, maxConcurrency }: Runtime): boolean {
  return maxConcurrency === null && kind !== 'cron'
}

function shareOf(written: number | string): Share {
  return typeof written === 'number' ? { instances: written } : { percent: percentOf(written) }
}
