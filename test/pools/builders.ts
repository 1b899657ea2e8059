import type { Live } from '../../src/pools/server/sessions.js'
import type { Deployment, Pool, Runtime, Server, Service } from '../../src/pools/sums/model.js'
import type { Tenant } from '../../src/tenants/tenant.js'
import type { Pooler } from '../../src/pools/sums/pooler-model.js'

const place = { file: 'test.pools.yaml', line: 1, column: 1 }

export function server(written: Partial<Server> = {}): Server {
  return {
    name: 'main',
    url: null,
    provider: null,
    maxConnections: 100,
    superuserReserved: null,
    reserved: null,
    cores: null,
    memoryBytes: null,
    memorySettings: null,
    otherConnections: 0,
    perfdbConnections: null,
    role: 'primary',
    of: null,
    failover: true,
    connectTimeMs: null,
    roles: {},
    databases: {},
    roleSettings: [],
    warnAt: 0.8,
    failAt: 1,
    place,
    ...written,
  }
}

export function pool(written: Partial<Pool> = {}): Pool {
  return {
    driver: null,
    min: 0,
    max: 10,
    maxOverflow: 0,
    eager: false,
    acquireTimeoutMs: null,
    maxLifetimeMs: null,
    idleTimeoutMs: null,
    perTenant: false,
    active: null,
    policyFactor: null,
    preparedStatements: null,
    sessionState: [],
    ...written,
  }
}

export function runtime(written: Partial<Runtime> = {}): Runtime {
  return { kind: 'other', processes: 1, threads: null, scope: 'process', maxConcurrency: null, overlap: 1, ...written }
}

export function service(written: Partial<Service> = {}): Service {
  return {
    name: 'web',
    server: 'main',
    database: 'app',
    role: 'app',
    applicationName: null,
    via: { kind: 'direct' },
    processMax: null,
    lookup: null,
    runtime: runtime(),
    instances: { desired: 1, max: 1 },
    deploy: { strategy: 'none' },
    pool: pool(),
    connectionsPerRequest: 1,
    extraConnections: 0,
    requestTimeoutMs: null,
    load: null,
    cache: null,
    audit: null,
    place,
    poolPlace: place,
    instancesPlace: place,
    ...written,
  }
}

export function pooler(written: Partial<Pooler> = {}): Pooler {
  return {
    name: 'pgb',
    kind: 'pgbouncer',
    adminUrls: [],
    replicas: 1,
    poolMode: 'transaction',
    maxClientConn: 10_000,
    defaultPoolSize: 20,
    reservePoolSize: 0,
    maxDbConnections: {},
    maxUserConnections: {},
    aliases: [],
    users: {},
    written: [],
    maxPreparedStatements: null,
    queryWaitTimeoutMs: 120_000,
    serverLifetimeMs: 3_600_000,
    place,
    ...written,
  }
}

export function tenant(id: string, written: Partial<Tenant> = {}): Tenant {
  return { id, file: place.file, server: 'main', database: id, role: `app_${id}`, place, ...written }
}

export function instances(count: number): Service['instances'] {
  return { desired: count, max: count }
}

export function deployment(written: Partial<Deployment> = {}): Deployment {
  return { servers: [server()], tenants: [], services: [], poolers: [], ...written }
}

/** A server of 100 connections that was looked at by a role that sees everything. */
export function liveServer(said: Partial<Live> = {}): Live {
  return {
    version: '18.0',
    versionNum: 180000,
    user: 'monitor',
    database: 'postgres',
    seesAll: true,
    limits: { maxConnections: 100, superuserReserved: 3, reserved: 0, providerReserved: 0, source: 'live' },
    roles: { app: { kind: 'ordinary', connectionLimit: null } },
    databases: { app: null },
    memory: {
      sharedBuffers: 0,
      workMem: 0,
      maintenanceWorkMem: 0,
      autovacuumWorkers: 0,
      hashMemMultiplier: 1,
      workersPerGather: 0,
      parallelWorkers: 0,
    },
    timeouts: { idleInTransactionMs: 60_000, idleSessionMs: 0, statementMs: 30_000, authenticationMs: 60_000 },
    identity: '1/5432',
    roleSettings: [],
    load: {},
    keptLocks: [],
    inRecovery: false,
    samples: [{ groups: [], authenticating: 0 }],
    ...said,
  }
}
