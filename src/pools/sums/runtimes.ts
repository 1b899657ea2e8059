/** How an application server of a kind works on requests when its file says nothing. */
export interface RuntimeKind {
  /** Processes of one instance; null where it takes as many as there are processors. */
  readonly processes: number | null
  /** Requests that one process works on at once; null for an event loop, which has no limit of its own. */
  readonly threads: number | null
  /** What `concurrency` sets. */
  readonly concurrency?: 'processes' | 'threads'
  /** What the processes are called in a sum. */
  readonly noun?: string
  readonly source: string
}

const loop = { processes: 1, threads: null } as const

/** By kind. A pool is in each process of all of them: forked workers share nothing. */
export const runtimes = {
  gunicorn: {
    processes: 1,
    threads: 1,
    noun: 'gunicorn workers',
    source:
      'Gunicorn manual, settings: workers 1, worker_class sync (one request at a time; gthread where threads is more)',
  },
  uvicorn: {
    ...loop,
    noun: 'uvicorn workers',
    source: 'Uvicorn manual: one process unless --workers, an event loop in each',
  },
  hypercorn: { ...loop, noun: 'hypercorn workers', source: 'Hypercorn manual: workers 1, an event loop in each' },
  uwsgi: {
    processes: 1,
    threads: 1,
    noun: 'uwsgi workers',
    source: 'uWSGI manual: one process and one thread unless set',
  },
  celery: {
    processes: null,
    threads: 1,
    concurrency: 'processes',
    noun: 'celery workers',
    source: 'Celery manual, workers: prefork, concurrency = processors, one task a child',
  },
  sidekiq: { processes: 1, threads: 5, concurrency: 'threads', source: 'Sidekiq 7, config.rb: concurrency 5' },
  puma: {
    processes: 1,
    threads: 5,
    noun: 'puma workers',
    source: 'Puma, configuration.rb: workers 0 (single mode), threads 0..5',
  },
  node: { ...loop, source: 'one process, an event loop' },
  pm2: { processes: 1, threads: null, source: 'PM2 manual: fork mode, one process unless instances' },
  cluster: { processes: null, threads: null, source: 'Node.js manual, cluster: usually a worker for each processor' },
  'php-fpm': {
    processes: 5,
    threads: 1,
    noun: 'children',
    source: 'PHP, www.conf: pm.max_children 5; a child serves one request',
  },
  jvm: { ...loop, source: 'one process' },
  go: { ...loop, source: 'one process' },
  dotnet: { ...loop, source: 'one process' },
  cron: { ...loop, source: 'one process' },
  serverless: { ...loop, source: 'one process for each concurrent function' },
  lambda: {
    processes: 1,
    threads: 1,
    source: 'AWS Lambda manual, concurrency: an execution environment works on one request',
  },
  other: { ...loop, source: 'a plain process' },
} as const satisfies Readonly<Record<string, RuntimeKind>>

export type RuntimeKindName = keyof typeof runtimes

export const runtimeNames = [
  'gunicorn',
  'uvicorn',
  'hypercorn',
  'uwsgi',
  'celery',
  'sidekiq',
  'puma',
  'node',
  'pm2',
  'cluster',
  'php-fpm',
  'jvm',
  'go',
  'dotnet',
  'cron',
  'serverless',
  'lambda',
  'other',
] as const satisfies readonly RuntimeKindName[]

/** Worker classes of gunicorn and pools of celery; without one gunicorn takes sync and celery prefork. */
export const workerClasses = ['sync', 'gthread', 'gevent', 'eventlet', 'uvicorn', 'prefork', 'threads', 'solo'] as const

/** What a worker class makes of a kind: gunicorn manual, worker_class; celery manual, concurrency. */
export function runtimeKind(name: RuntimeKindName, workerClass?: (typeof workerClasses)[number]): RuntimeKind {
  const kind: RuntimeKind = runtimes[name]
  switch (workerClass) {
    case undefined:
    case 'prefork':
      return kind
    case 'sync':
    case 'gthread':
      return { ...kind, threads: 1 }
    case 'uvicorn':
      return { ...kind, threads: null }
    case 'solo':
      return { ...kind, processes: 1, threads: 1 }
    case 'gevent':
    case 'eventlet':
    case 'threads':
      return name === 'celery'
        ? { ...kind, processes: 1, threads: null, concurrency: 'threads' }
        : { ...kind, threads: 1000 }
  }
}
