import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import type { Ledger } from '../ledger.js'
import { assertLedgerTrusted } from '../trust.js'

/**
 * The ledger of this database, installed or brought up to date on `session` first, to be read and written by `writer`. Throws PRIVILEGE, with the hint --no-ledger, when
 * the role may not; READ_ONLY; LEDGER_TOO_NEW; LEDGER_UNTRUSTED. Kysely is loaded here and not before (0.15 s, fact 12).
 */
export async function openLedger(session: Session, writer = session): Promise<Ledger> {
  const [{ installLedger }, { ledgerOn }] = await Promise.all([import('./install.js'), import('./records.js')])
  try {
    await installLedger(session)
  } catch (error) {
    throw await withoutLedger(session, error)
  }
  return ledgerOn(writer)
}

/** The ledger to read, null when this database has none. Creates nothing. Throws PRIVILEGE and LEDGER_UNTRUSTED. */
export async function readLedger(session: Session): Promise<Ledger | null> {
  if (!(await assertLedgerTrusted(session))) return null
  const [row] = await session.query<{ there: boolean; usable: boolean }>(
    `select pg_catalog.count(*) > 0 as there,
       pg_catalog.bool_and(pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')) as usable
     from pg_catalog.pg_namespace n join pg_catalog.pg_class c on c.relnamespace = n.oid
     where n.nspname = 'perfdb' and c.relname in ('runs', 'steps', 'measurements') and c.relkind = 'r'`,
  )
  if (row?.there !== true) return null
  if (!row.usable) {
    throw new PerfdbError('PRIVILEGE', 'this role may not read the ledger in the schema perfdb', {
      hint: 'grant usage on schema perfdb to ROLE; grant select on all tables in schema perfdb to ROLE',
    })
  }
  const { ledgerOn } = await import('./records.js')
  return ledgerOn(session)
}

async function withoutLedger(session: Session, error: unknown): Promise<unknown> {
  if (!(error instanceof PerfdbError) || error.code !== 'PRIVILEGE') return error
  const [ledger] = await session.query<{ there: boolean }>(
    `select exists (select from pg_catalog.pg_namespace where nspname = 'perfdb') as there`,
  )
  const use =
    'let its owner run perfdb once, and grant the use of it: grant usage on schema perfdb to ROLE; grant select, insert, update on all tables in schema perfdb to ROLE'
  const make = 'grant create on database NAME to ROLE'
  return new PerfdbError('PRIVILEGE', 'this role may not write the ledger in the schema perfdb', {
    detail: error.message,
    hint: `${ledger?.there === true ? use : make}, or keep no record of the run: --no-ledger`,
    sqlstate: error.sqlstate,
    cause: error,
  })
}
