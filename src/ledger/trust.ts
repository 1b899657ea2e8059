import { PerfdbError } from '../errors.js'
import type { Session } from '../server/session/session.js'
import { ledgerPlainSql, ledgerThereSql, ledgerTrustSql } from '../sql/catalog/ledger-trust.js'

interface Problem {
  readonly kind: 'owner' | 'grant' | 'relation' | 'trigger' | 'rule' | 'policy' | 'child' | 'statistics' | 'function'
  /** The schema, or one of its tables, quoted. */
  readonly relation: string
  readonly thing: string | null
  readonly role: string | null
  /** The connected role, quoted. */
  readonly me: string
  /** Whom every role may trust: a superuser. */
  readonly newOwner: string
  readonly superuser: boolean
}

/** Sessions that found one to trust: only who is trusted could change that. That there is none, or that it is not trusted, is asked again. */
const trusting = new WeakSet<object>()

/** Sessions that found none under the run lock: no other run makes one then, who reads nothing is safe, and who makes one (`forgetLedger`) fails where somebody was quicker. */
const without = new WeakSet<object>()

/**
 * To be asked before anything in the schema perfdb is read or written: whoever owns what is there decides what an INSERT, and even a
 * SELECT, runs with the rights of the connected role. False where there is no such schema, and so nothing to read. Throws LEDGER_UNTRUSTED with the statements
 * that hand it over.
 */
export async function assertLedgerTrusted(session: Pick<Session, 'query'>): Promise<boolean> {
  return (await trusted(session, 'runs')).there
}

/** The same for one who looks at a table of the ledger: false where that is not there either. Who asks under the run lock need not ask again where there is none. */
export async function hasTrustedTable(
  session: Pick<Session, 'query'>,
  name: 'runs' | 'steps',
  underLock = false,
): Promise<boolean> {
  const { there, table } = await trusted(session, name)
  if (underLock && !there) without.add(session)
  return table
}

interface There {
  readonly there: boolean
  readonly table: boolean
  readonly plain: boolean
}

/** To be called before a ledger is made: from then on there may be one. */
export function forgetLedger(session: object): void {
  without.delete(session)
}

const nothing: There = { there: false, table: false, plain: false }

async function trusted(session: Pick<Session, 'query'>, name: string): Promise<There> {
  if (without.has(session)) return nothing
  const [found = nothing] = await session.query<There>(ledgerThereSql(name))
  if (!found.there || trusting.has(session)) return found
  if (!found.plain) await assertTrustedNow(session)
  trusting.add(session)
  return found
}

/** Of a schema that is there, whatever was found before: in a transaction that made it and may be rolled back. Throws LEDGER_UNTRUSTED. */
export async function assertTrustedNow(session: Pick<Session, 'query'>): Promise<void> {
  const [quick] = await session.query<{ plain: boolean }>(ledgerPlainSql)
  const problems = quick?.plain === true ? [] : await session.query<Problem>(ledgerTrustSql)
  const [first] = problems
  if (first === undefined) return
  throw new PerfdbError(
    'LEDGER_UNTRUSTED',
    `the ledger in the schema perfdb could run code of other roles with the rights of ${first.me}: it is neither read nor written`,
    {
      detail: `${problems.map(reasonOf).join('; ')}; without a ledger: --no-ledger`,
      hint: problems.some(({ kind }) => strange.has(kind)) ? newLedger(first) : handOver(problems, first),
    },
  )
}

/** Not a matter of owners: what is on these tables was put there by somebody, and may have changed what is in them. */
const strange: ReadonlySet<Problem['kind']> = new Set([
  'relation',
  'trigger',
  'rule',
  'policy',
  'child',
  'statistics',
  'function',
])

function reasonOf({ kind, relation, thing, role, me }: Problem): string {
  switch (kind) {
    case 'owner':
      return `${relation} belongs to ${role ?? '?'}, which is neither a superuser nor a role that ${me} is a member of`
    case 'grant':
      return `${role ?? '?'} may add triggers to ${relation}`
    case 'relation':
      return `${relation} is a ${thing ?? '?'}, not a table`
    case 'trigger':
    case 'rule':
      return `${relation} has the ${kind} ${thing ?? '?'}`
    case 'policy':
      return `${relation} has row security`
    case 'child':
      return `${relation} has a parent or child table`
    case 'statistics':
      return `${relation} has the extended statistics ${thing ?? '?'}`
    case 'function':
      return `${relation} uses ${thing ?? '?'}`
  }
}

/** Owned by a superuser, whom every role trusts; who used it so far goes on writing. */
function handOver(problems: readonly Problem[], { me, newOwner, superuser }: Problem): string {
  const owned = problems.filter(({ kind }) => kind === 'owner')
  const users = new Set(problems.flatMap(({ role }) => (role === null || role === 'public' ? [] : [role])))
  if (!superuser) users.add(me)
  const grantees = [...users].join(', ')
  return [
    ...owned.map(({ relation }) =>
      relation === 'perfdb'
        ? `alter schema perfdb owner to ${newOwner}`
        : `alter table ${relation} owner to ${newOwner}`,
    ),
    ...problems.flatMap(({ kind, relation, role }) =>
      kind === 'grant' ? [`revoke trigger on ${relation} from ${role ?? ''}`] : [],
    ),
    ...(grantees === ''
      ? []
      : [
          `revoke create on schema perfdb from ${grantees}`,
          `grant usage on schema perfdb to ${grantees}`,
          `revoke trigger on all tables in schema perfdb from ${grantees}`,
          `grant select, insert, update on all tables in schema perfdb to ${grantees}`,
        ]),
  ].join('; ')
}

function newLedger({ newOwner }: Problem): string {
  return `look at it as ${newOwner}, then begin a new one: alter schema perfdb rename to perfdb_old`
}
