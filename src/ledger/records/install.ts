import { Kysely, Migrator, type Migration } from 'kysely'
import { up as ledger } from '../../../migrations/0001_ledger.js'
import { up as kept } from '../../../migrations/0002_kept.js'
import { up as undo } from '../../../migrations/0003_undo.js'
import { up as fleet } from '../../../migrations/0004_fleet.js'
import { PerfdbError } from '../../errors.js'
import type { Parameter, Session } from '../../server/session/session.js'
import { sessionDialect, type Queried } from '../tables/dialect.js'
import { assertLedgerTrusted, assertTrustedNow, forgetLedger } from '../trust.js'

/** Forward only; a published migration never changes. Listed here so that no folder is read at run time. */
const migrations: Readonly<Record<string, Pick<Migration, 'up'>>> = {
  '0001_ledger': { up: ledger },
  '0002_kept': { up: kept },
  '0003_undo': { up: undo },
  '0004_fleet': { up: fleet },
}

/**
 * Brings the schema perfdb of this database up to date, in one transaction; does nothing when it is. Two at once are
 * sorted out by trying again: `if not exists` itself fails in such a race (fault 73). Throws PRIVILEGE, READ_ONLY,
 * LEDGER_UNTRUSTED and LEDGER_TOO_NEW.
 */
export async function installLedger(session: Session, tries = 5): Promise<void> {
  const there = await assertLedgerTrusted(session)
  const installed = there ? await installedMigrations(session) : []
  const unknown = installed.find((name) => !Object.hasOwn(migrations, name))
  if (unknown !== undefined) {
    throw new PerfdbError('LEDGER_TOO_NEW', 'a later version of perfdb has written the ledger of this database', {
      detail: `this version does not know ${unknown}`,
    })
  }
  if (Object.keys(migrations).every((name) => installed.includes(name))) return
  forgetLedger(session)
  try {
    await session.transaction(async () => {
      await (there ? migrate(session) : create(session))
      // Somebody may have made the schema since it was looked at; not one that was made by the transaction itself.
      if (there || !(await isOwnWork(session))) await assertTrustedNow(session)
    })
    session.takeNotices()
  } catch (error) {
    if (tries <= 1 || !isRace(error)) throw error
    await installLedger(session, tries - 1)
  }
}

async function installedMigrations(session: Session): Promise<readonly string[]> {
  const [row] = await session.query<{ there: boolean }>(
    `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'perfdb' and c.relname = 'migrations') as there`,
  )
  if (row?.there !== true) return []
  return (await session.query<{ name: string }>('select name from perfdb.migrations order by name')).map(
    ({ name }) => name,
  )
}

/** What the migrations make of a database without a ledger, once for all databases of this process. */
let creation: Promise<readonly Sent[]> | undefined

interface Sent {
  readonly text: string
  readonly parameters: readonly Parameter[]
}

/** Everything in one burst: asked by Kysely one by one it is 30 round trips. */
async function create(session: Session): Promise<void> {
  creation ??= statementsOfCreation()
  const now = new Date().toISOString()
  const statements = (await creation).map(({ text, parameters }) =>
    session.query(
      text,
      text.startsWith('insert into "perfdb"."migrations" ') ? [parameters[0] ?? null, now] : parameters,
    ),
  )
  await Promise.all(statements)
}

/** Nothing but that transaction's own statements was at it: no default privilege, no event trigger, no role that is not the one that logged in. */
async function isOwnWork(session: Session): Promise<boolean> {
  const [row] = await session.query<{ own: boolean }>(
    `select current_user = session_user and not exists (select from pg_catalog.pg_event_trigger)
       and not exists (select from pg_catalog.pg_class c where c.relacl is not null
         and c.relnamespace = (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'perfdb')) as own`,
  )
  return row?.own === true
}

async function statementsOfCreation(): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  await migrate({
    async query(text, parameters = []) {
      // A schema that is there by now ends it: whoever made it may have put something on its tables.
      if (!/^\s*select\b/i.test(text))
        sent.push({ text: text.replace(/^create schema if not exists/, 'create schema'), parameters })
      return []
    },
  })
  return sent
}

/** Kysely looks after each failure whether the object is there by now, and so ends with 25P02: the first failure counts. */
async function migrate(session: Queried): Promise<void> {
  let failure: unknown
  const watched: Queried = {
    async query<Row>(text: string, parameters?: readonly Parameter[]) {
      return session.query<Row>(text, parameters).catch((error: unknown) => {
        failure ??= error
        throw error
      })
    },
  }
  const migrator = new Migrator({
    db: new Kysely<unknown>({ dialect: sessionDialect(watched) }),
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableSchema: 'perfdb',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
    disableTransactions: true,
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw failure ?? error
}

function isRace(error: unknown): boolean {
  const races = ['42P06', '42P07', '42701', '42710', '23505', '40P01']
  return error instanceof PerfdbError && races.includes(error.sqlstate ?? '')
}
