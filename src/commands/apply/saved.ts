import { PerfdbError } from '../../errors.js'
import type { Plan } from '../../plan/plan.js'
import { movedSince, savedStep } from '../../plan/make/saved.js'
import type { SavedPart } from '../../result/parts/saved-part.js'
import type { Session } from '../../server/session/session.js'

/** What of a plan is saved, so that apply can run it, and no other. */
export async function savedPartOf(session: Session, plan: Plan): Promise<SavedPart> {
  return {
    database: await databaseIdentity(session),
    extensions: [...plan.extensions],
    steps: plan.steps.map((step) => savedStep(step)),
  }
}

/** Throws PLAN_STALE for a plan of another database, before anything else is asked of this one. */
export async function assertSameDatabase(session: Session, { database: saved }: SavedPart): Promise<void> {
  const here = await databaseIdentity(session)
  const known = saved.system_identifier !== null && here.system_identifier !== null
  if (known && saved.system_identifier !== here.system_identifier)
    throw stale(`the plan was saved for the database ${saved.name} of another server`)
  if (saved.oid !== here.oid || saved.name !== here.name)
    throw stale(
      `the plan was saved for the database ${saved.name} (oid ${saved.oid}), and this is ${here.name} (oid ${here.oid})`,
    )
}

/** Throws PLAN_STALE where the database is neither what it was when the plan was saved nor further along it. */
export function assertNotMoved(saved: SavedPart, plan: Plan): void {
  const extensions = plan.extensions
    .filter((name) => !saved.extensions.includes(name))
    .map((name) => `the extension ${name} is not in the saved plan: it is missing now`)
  const [first, ...more] = [...movedSince(saved.steps, plan), ...extensions]
  if (first === undefined) return
  throw stale(first, more.slice(0, 20).join('\n') + (more.length > 20 ? `\nand ${more.length - 20} more` : ''))
}

function stale(message: string, detail = ''): PerfdbError {
  return new PerfdbError('PLAN_STALE', message, detail === '' ? {} : { detail })
}

async function databaseIdentity(session: Session): Promise<SavedPart['database']> {
  const sql = (identifier: string) =>
    `select ${identifier} as system_identifier, d.oid::int8 as oid, d.datname as name
     from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`
  const rows = await session
    .query<SavedPart['database']>(sql('(select system_identifier::text from pg_catalog.pg_control_system())'))
    .catch(async (error: unknown) => {
      // Some providers take the function away.
      if (error instanceof PerfdbError && error.sqlstate === '42501')
        return session.query<SavedPart['database']>(sql('null::text'))
      throw error
    })
  const [row] = rows
  if (row === undefined) throw new PerfdbError('INTERNAL', 'the server does not know its own database')
  return { name: row.name, oid: row.oid, system_identifier: row.system_identifier }
}
