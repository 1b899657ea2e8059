import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PerfdbError } from '../../errors.js'
import {
  auditLogsSql,
  customersSql,
  jobsSql,
  jobStepsSql,
  machinesSql,
  notificationsSql,
  permissionsSql,
  processesSql,
  stepsOfJobs,
  usersSql,
  type DemoRows,
} from './demo-rows.js'

/** One statement, with what it does in two words for the progress line. */
export interface DemoStatement {
  readonly label: string
  readonly sql: string
}

/**
 * The tables of a demo with their keys, those of the job shop when nothing is said, and no index besides: a script of several statements, each ended by
 * a semicolon at the end of a line. Throws FILE_NOT_FOUND when the package lacks its folder profiles/.
 */
export async function demoSchema(name = 'job-shop'): Promise<string> {
  const inPackage = join('profiles', 'schema', `${name}.sql`)
  // The folder is two levels up in the sources and three in the build: look in each folder up to the root.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const text = await readFile(join(folder, inPackage), 'utf8').catch(() => null)
    if (text !== null) return text
    if (dirname(folder) === folder) throw new PerfdbError('FILE_NOT_FOUND', `the package lacks its file ${inPackage}`)
  }
}

/** The statements of `demoSchema()` one by one, for a session that takes one at a time. Throws as it does. */
export async function demoSchemaStatements(name = 'job-shop'): Promise<readonly DemoStatement[]> {
  const script = (await demoSchema(name)).replaceAll(/^--.*$/gm, '')
  const statements = script.split(/;$/m).map((sql) => sql.trim())
  return statements.filter((sql) => sql !== '').map((sql) => ({ label: sql.replace(/ \([^]*/, ''), sql }))
}

/**
 * Rows of each table: at scale 1 those of the field report's shop. The large tables grow with the scale in blocks of 30
 * jobs with 100 steps, so that the counts are exact; the four small ones do not grow.
 */
export function demoRows(scale: number): DemoRows {
  const blocks = Math.max(1, Math.round(10_000 * scale))
  return {
    customers: blocks * 20,
    jobs: blocks * stepsOfJobs.length,
    job_steps: blocks * stepsOfJobs.reduce((sum, steps) => sum + steps, 0),
    machines: 40,
    users: 120,
    processes: 24,
    role_process_permissions: 96,
    notifications: blocks * 20,
    audit_logs: blocks * 30,
  }
}

/**
 * Fills the empty tables of `demoSchema()` with the same rows in every run and on every version. Each entry is one
 * statement, to be run in order in one session of a superuser, outside a transaction; the last is VACUUM (ANALYZE).
 */
export function demoStatements(scale: number): readonly DemoStatement[] {
  const rows = demoRows(scale)
  const tables = Object.keys(rows).map((table) => `public.${table}`)
  return [
    // Checked row by row they make it 28 s instead of 10 at scale 1; test/profiles loads once with the checks on.
    { label: 'foreign keys off', sql: 'set session_replication_role = replica' },
    { label: 'processes', sql: processesSql(rows) },
    { label: 'machines', sql: machinesSql(rows) },
    { label: 'users', sql: usersSql(rows) },
    { label: 'permissions', sql: permissionsSql() },
    { label: 'customers', sql: customersSql(rows) },
    { label: 'jobs', sql: jobsSql(rows) },
    { label: 'job steps', sql: jobStepsSql() },
    { label: 'notifications', sql: notificationsSql(rows) },
    { label: 'audit logs', sql: auditLogsSql(rows) },
    { label: 'foreign keys on', sql: 'set session_replication_role = origin' },
    { label: 'vacuum and analyze', sql: `vacuum (analyze) ${tables.join(', ')}` },
  ]
}
