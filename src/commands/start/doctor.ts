import type { DoctorCode } from '../../codes/codes.js'
import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { readLedger } from '../../ledger/records/history.js'
import type { DoctorCheck, DoctorResult } from '../../result/documents/doctor-result.js'
import { headOf } from '../../result/head.js'
import { endedNote, laterMajor } from '../../server/session/version.js'
import type { Session } from '../../server/session/session.js'
import { doctorSql } from '../../sql/catalog/doctor.js'
import { several } from '../../text/amounts.js'

/** The least version of Node, as package.json has it. */
const leastNode = [20, 19] as const

interface Facts {
  readonly temporary: boolean
  readonly creates: boolean
  readonly superuser: boolean
  readonly statistics: boolean
  readonly tables: number
  readonly readable: number
  readonly owned: number
  /** Of tables that the role does not own. */
  readonly owners: readonly string[]
  /** Schemas with tables that it may not read, and where it may not create. */
  readonly hidden: readonly string[]
  readonly closed: readonly string[]
  readonly extensions: readonly string[]
  readonly available: readonly string[]
  readonly statementsLoaded: boolean
}

/**
 * What perfdb could do here: Node, the server, and what the connected role may do in this database. `connect` opens a session of the
 * role `look`. Writes nothing. Exit code 2 when the server could not be asked, 1 when a check failed.
 */
export async function runDoctor(connect: () => Promise<Session>): Promise<DoctorResult> {
  const node = nodeCheck(process.versions.node)
  try {
    await using session = await connect()
    const [row] = await session.query<{ document: Facts }>(doctorSql)
    if (row === undefined) throw new PerfdbError('INTERNAL', 'the catalog gave no answer')
    const checks = [node, ...serverChecks(session), ...(await roleChecks(session, row.document))]
    return result(checks, checks.every(({ ok }) => ok) ? 0 : 1)
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.code === 'INTERRUPTED') throw error
    const { code, message, detail, hint } = error
    const shown = detail === undefined ? message : `${message} (${detail})`
    return result([node, { code, ok: false, message: shown, hint }], 2)
  }
}

function result(checks: readonly DoctorCheck[], exitCode: number): DoctorResult {
  return { ...headOf(exitCode), command: 'doctor', checks: [...checks] }
}

function nodeCheck(version: string): DoctorCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
  return check('NODE_VERSION', ok, `Node ${version}`, `perfdb needs Node ${leastNode.join('.')} or later`)
}

function serverChecks({ label, version, versionNum, pooled, inRecovery, readOnly }: Session): readonly DoctorCheck[] {
  const [note = laterMajor(versionNum)] = endedNote(versionNum, new Date())
  const about = note === null ? {} : { hint: note }
  return [
    { code: 'SERVER', ok: true, message: `PostgreSQL ${version} at ${label}`, ...about },
    pooled
      ? check('POOLER', false, 'a pooler is in between: apply and rollback need the server itself', direct)
      : check('POOLER', true, 'no pooler in between'),
    inRecovery
      ? check(
          'STANDBY',
          false,
          'a standby: nothing can be built here',
          'add target_session_attrs=read-write to the URL',
        )
      : check('STANDBY', true, 'the primary'),
    ...(readOnly && !inRecovery
      ? [
          check(
            'READ_ONLY',
            false,
            'sessions of this role are read-only',
            'alter role ROLE reset default_transaction_read_only',
          ),
        ]
      : []),
  ]
}

const direct = 'export PERFDB_DIRECT_URL=postgres://user@server:5432/database'

/** The grants as statements for psql, by a superuser or the owner of the database. */
async function roleChecks(session: Session, facts: Facts): Promise<readonly DoctorCheck[]> {
  const role = quoteName(session.user)
  const database = quoteName(session.database)
  const statements = optional('pg_stat_statements', 'explain --top and weights of queries', facts)
  const ledger = await ledgerCheck(session, facts)
  const grants = {
    temporary: `grant temporary on database ${database} to ${role}`,
    read: facts.hidden
      .map(
        (schema) =>
          `grant usage on schema ${quoteName(schema)} to ${role}; grant select on all tables in schema ${quoteName(schema)} to ${role}`,
      )
      .join('; '),
    own: [
      ...facts.owners.map((owner) => `grant ${quoteName(owner)} to ${role}`),
      ...facts.closed.map((schema) => `grant create on schema ${quoteName(schema)} to ${role}`),
    ].join('; '),
  }
  const readsAll = facts.readable === facts.tables
  const ownsAll = facts.owned === facts.tables
  const able = !session.pooled && !session.inRecovery && !session.readOnly
  return [
    check(
      'TEMPORARY',
      facts.temporary,
      facts.temporary
        ? 'temporary tables: definitions are compared by building them'
        : 'no temporary tables: definitions are compared by EXPLAIN alone',
      grants.temporary,
    ),
    check(
      'CAN_SEE',
      facts.statistics,
      facts.statistics
        ? 'sessions and statements of all roles can be seen'
        : 'sessions and statements of other roles are hidden',
      `grant pg_monitor to ${role}`,
    ),
    statements,
    optional('hypopg', '--what-if-engine hypopg', facts),
    ledger,
    check(
      'CAN_READ',
      readsAll,
      `plan, verify and explain: ${ofTables(facts.readable, facts.tables)} can be read`,
      grants.read,
    ),
    check(
      'CAN_BUILD',
      able && ownsAll && ledger.ok,
      `apply and rollback: may build on ${ofTables(facts.owned, facts.tables)}${able ? '' : ', but not over this connection'}`,
      ownsAll ? undefined : grants.own,
    ),
    ...(facts.superuser
      ? [
          {
            code: 'SUPERUSER',
            ok: true,
            message: 'a superuser: more than perfdb needs, and row security does not hold for it',
            hint: 'perfdb works with the roles of docs/permissions.md',
          },
        ]
      : []),
  ]
}

function ofTables(count: number, all: number): string {
  return all === 0
    ? 'no table, for there is none'
    : count === all
      ? several(all, 'table')
      : `${count} of ${several(all, 'table')}`
}

/** Where it is missing, nothing but what it is for does not work. */
function optional(name: string, use: string, { extensions, available, statementsLoaded }: Facts): DoctorCheck {
  const code = name.toUpperCase()
  const preload = name === 'pg_stat_statements' && !statementsLoaded
  if (extensions.includes(name) && !preload)
    return { code, ok: true, message: `the extension ${name} is installed: ${use}` }
  const hint = !available.includes(name)
    ? `install its package on the server, then: create extension ${name}`
    : preload
      ? `shared_preload_libraries = '${name}', restart, then: create extension ${name}`
      : `create extension ${name}`
  return { code, ok: true, message: `without the extension ${name}: no ${use}`, hint }
}

async function ledgerCheck(session: Session, { creates }: Facts): Promise<DoctorCheck> {
  try {
    const ledger = await readLedger(session)
    if (ledger !== null) return { code: 'LEDGER', ok: true, message: 'the ledger in the schema perfdb can be read' }
    const hint = `grant create on database ${quoteName(session.database)} to ${quoteName(session.user)}; or perfdb apply --no-ledger`
    return check(
      'LEDGER',
      creates,
      creates
        ? 'no ledger yet: the first apply creates the schema perfdb'
        : 'no ledger, and no right to create the schema perfdb',
      hint,
    )
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    return { code: error.code, ok: false, message: error.message, hint: error.hint }
  }
}

function check(code: DoctorCode, ok: boolean, message: string, hint?: string): DoctorCheck {
  return ok || hint === undefined || hint === '' ? { code, ok, message } : { code, ok, message, hint }
}
