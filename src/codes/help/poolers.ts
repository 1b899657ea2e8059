import type { Explanation } from './explanation.js'

/** Findings of check-pool about kinds of poolers and runtimes, and about a failover. */
export const poolerTexts = {
  POOLER_UNKNOWN: {
    text: 'a setting of the pooler is not known',
    why: 'Each kind of pooler has its own defaults, and a guess of another kind would be a wrong verdict.',
    rule: 'The file does not declare pool_mode, the size of its pools or the limit of its clients, and the kind has no default that is known.',
    todo: 'Declare the setting, or name the admin console of a PgBouncer as admin_url.',
    option: 'poolers in the pools file',
  },
  POOLER_PINNED: {
    text: 'clients pin the connections of the proxy',
    why: 'A pinned client holds a server connection for as long as it stays: the proxy shares nothing.',
    rule: 'A service behind rds-proxy sends named prepared statements or declares session_state. An error where such clients are more than the proxy may open.',
    todo: 'Avoid SET, named prepared statements and session advisory locks, or count on a connection for each client.',
    option: 'pool.prepared_statements, pool.session_state',
  },
  POOLER_CPU: {
    text: 'one core of the pooler may not be enough',
    why: 'A process of PgBouncer uses one core, and a pooler that is busy makes every query slower.',
    rule: 'The declared transactions a second are over 70 % of about 20000 a core, over all replicas.',
    todo: 'More replicas, or several processes with so_reuseport.',
    option: 'poolers.*.replicas, poolers.*.cores',
  },
  POOLER_WARMUP: {
    text: 'the pooler is too slow to open the connections that a boot asks for',
    why: 'PgBouncer opens the server connections of a pool one after another, and the applications give up meanwhile.',
    rule: 'Connections of the pool beyond min_pool_size x connect_time of the server are longer than acquire_timeout of a service that fills its pools at boot.',
    todo: 'Keep the connections open (min_pool_size), or wait longer.',
    option: 'poolers.*.min_pool_size, servers.*.connect_time',
  },
  POOL_SHORT: {
    text: 'a pool has fewer connections than threads',
    why: 'Under full load some threads find no connection, and fail when they give up waiting.',
    rule: 'Threads that share a pool are more than pool.max + max_overflow; an error where acquire_timeout is shorter than load.service_time.',
    todo: 'As many connections as threads, where the server has room for them, or fewer threads.',
    option: 'pool.max, runtime.threads, runtime.concurrency',
  },
  RUNTIME_ASSUMED: {
    text: 'the threads are the default of the runtime',
    why: 'The sum is smaller than the pools promise, and that leans on a default.',
    rule: 'The file does not declare the threads, and the kind of runtime works on fewer requests at once than the pool has connections.',
    todo: 'Declare runtime.threads or worker_class where they are others.',
  },
  RUNTIME_UNKNOWN: {
    text: 'the number of processes is not known',
    why: 'Each process has a pool of its own.',
    rule: 'The runtime starts a process for each processor, and the file does not say how many.',
    todo: 'Declare runtime.processes, or concurrency of celery.',
  },
} as const satisfies Readonly<Record<string, Explanation>>
