import { PerfdbError } from '../../errors.js'
import type { ParameterName } from './parameters.js'

/*
 * What DATABASE_URL holds in practice: parameters and schemes of Prisma, JDBC, SQLAlchemy, node-postgres, Npgsql, Rails, Laravel, Go. Those that are the
 * application's own are left out with a note; those that say the same as one of libpq's become that; whatever protects a
 * connection and cannot be done is refused, never left out.
 */

/** The scheme of a URL that another driver reads as PostgreSQL's: `postgresql+asyncpg`, `jdbc:postgresql`, `postgis`. */
export function isForeignScheme(scheme: string): boolean {
  return /^(jdbc:postgresql|(postgres|postgresql|pgsql|psql|postgis|timescaledb|pgx5?)(\+[a-z0-9_]+)?)$/i.test(scheme)
}

/** What a parameter of another driver is to perfdb; undefined for one that is unknown. */
export type Foreign =
  | { readonly is: 'left out' }
  | { readonly is: 'schema' }
  | { readonly is: 'parameter'; readonly name: ParameterName; readonly value: string }

/** Throws UNKNOWN_URL_PARAMETER for what protects a connection and cannot be done. */
export function foreignParameter(name: string, value: string, origin: string): Foreign | undefined {
  if (applicationsOwn.has(name.toLowerCase())) return { is: 'left out' }
  switch (name) {
    case 'schema':
    case 'currentSchema':
      return { is: 'schema' }
    case 'ApplicationName':
      return { is: 'left out' }
    case 'search_path':
      return { is: 'parameter', name: 'options', value: `-c search_path=${value.replaceAll(/[\\\s]/g, '\\$&')}` }
    case 'database':
    case 'username':
      return { is: 'parameter', name: name === 'database' ? 'dbname' : 'user', value }
    case 'ssl':
    case 'tls':
    case 'sslaccept':
    case 'sslfactory':
      return encryption(name, value, origin)
    default:
      return undefined
  }
}

function encryption(name: string, value: string, origin: string): Foreign {
  const sslmode = (mode: string): Foreign => ({ is: 'parameter', name: 'sslmode', value: mode })
  switch (value.toLowerCase()) {
    case 'true':
    case '1':
    case 'on':
    case 'no-verify':
      return sslmode('require')
    case 'strict':
      return sslmode('verify-full')
    case 'false':
    case '0':
    case 'off':
    case 'accept_invalid_certs':
      return { is: 'left out' }
    case 'disable':
    case 'allow':
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return sslmode(value.toLowerCase())
    default:
      if (value.endsWith('NonValidatingFactory')) return sslmode('require')
      throw new PerfdbError('UNKNOWN_URL_PARAMETER', `${origin}: ${name} demands what perfdb does not know`, {
        hint: 'use sslmode: disable, prefer, require, verify-ca or verify-full',
      })
  }
}

/** In lower case: pools, timeouts, caches and switches, which say nothing of the server. perfdb sets its own timeouts, and time zone UTC. */
const applicationsOwn: ReadonlySet<string> = new Set([
  // Prisma
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'single_use_connections',
  // SQLAlchemy, asyncpg, Django
  'pool_size',
  'pool_mode',
  'pool_pre_ping',
  'pool_recycle',
  'max_overflow',
  'prepared_statement_cache_size',
  'prepared_statement_name_func',
  'async_fallback',
  'command_timeout',
  'conn_max_age',
  'conn_health_checks',
  'charset',
  // Rails, Laravel
  'pool',
  'adapter',
  'encoding',
  'checkout_timeout',
  'idle_timeout',
  'reaping_frequency',
  'prepared_statements',
  'advisory_locks',
  'min_messages',
  'prefix',
  // JDBC
  'preparethreshold',
  'preparedstatementcachequeries',
  'preparedstatementcachesizemib',
  'rewritebatchedinserts',
  'logintimeout',
  'connecttimeout',
  'sockettimeout',
  'tcpkeepalive',
  'defaultrowfetchsize',
  'stringtype',
  'binarytransfer',
  'autosave',
  'logunclosedconnections',
  'loggerlevel',
  'applicationname',
  'assumeminserverversion',
  'targetservertype',
  // Go: pgx, golang-migrate
  'pool_max_conns',
  'pool_min_conns',
  'pool_max_conn_lifetime',
  'pool_max_conn_lifetime_jitter',
  'pool_max_conn_idle_time',
  'pool_health_check_period',
  'default_query_exec_mode',
  'statement_cache_capacity',
  'description_cache_capacity',
  'binary_parameters',
  'x-migrations-table',
  'x-multi-statement',
  'x-statement-timeout',
  // node-postgres, postgres.js, Sequelize, TypeORM
  'uselibpqcompat',
  'max',
  'min',
  'idletimeoutmillis',
  'connectiontimeoutmillis',
  'query_timeout',
  'supa',
  'workaround',
  'pooler',
  // of the server, and set by perfdb itself
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'timezone',
])
