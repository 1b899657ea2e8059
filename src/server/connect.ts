import { PerfdbError } from '../errors.js'
import { toPerfdbError } from './session/failure.js'
import { hostLabel, type Host } from './target/host.js'
import {
  checkPinned,
  lookAndPinSql,
  pinSql,
  watchClientSql,
  type LookRow,
  type ReadBack,
  type Role,
} from './session/pin.js'
import type { Session } from './session/session.js'
import { makeSession } from './statements.js'
import type { SessionAttributes, Target } from './target/target.js'
import { encryptions, type Encryption } from './target/tls.js'
import { assertReadable, isTooOld, laterMajor } from './session/version.js'
import { openWire, type Wire } from './wire/wire.js'

/**
 * One session for one role, on the first host that answers and is what target_session_attrs asks for. Its settings are
 * pinned and read back. ddl, watchdog and ledger need a backend of their own: a pooler is refused (section H of faults).
 * Throws CONNECTION_REFUSED, AUTHENTICATION_FAILED, TLS_FAILED, NO_DATABASE, TOO_MANY_CONNECTIONS, SERVER_TOO_OLD, SERVER_TOO_NEW,
 * POOLER, STANDBY, SETTING_REFUSED.
 */
export async function connect(target: Target, role: Role): Promise<Session> {
  const hosts = target.balanced ? shuffled(target.hosts) : target.hosts
  const { wire, look } = await firstHost(target, hosts, role)
  try {
    return await verifiedSession(target, wire, look, role)
  } catch (error) {
    await wire.close()
    throw toPerfdbError(error, { phase: 'connect', label: hostLabel(wire.host) })
  }
}

interface Found {
  readonly wire: Wire
  readonly look: LookRow
}

/** As libpq: the next host after a failure to connect or the wrong kind of server, not after a failed authentication. */
async function firstHost(target: Target, hosts: readonly Host[], role: Role): Promise<Found> {
  let failure: PerfdbError | undefined
  const passes: readonly SessionAttributes[] =
    target.sessionAttributes === 'prefer-standby' ? ['standby', 'any'] : [target.sessionAttributes]
  for (const wanted of passes) {
    for (const host of hosts) {
      try {
        const found = await openHost(target, host, role)
        if (suits(found.look, wanted)) return found
        await found.wire.close()
        failure ??= wrongKind(host, wanted)
      } catch (error) {
        const found = toPerfdbError(error, { phase: 'connect', label: hostLabel(host) })
        if (found.code !== 'CONNECTION_REFUSED') throw withPasswordHint(found, target, host)
        failure ??= found
      }
    }
  }
  throw failure ?? new PerfdbError('CONNECTION_REFUSED', `cannot connect to ${target.label}`)
}

async function openHost(target: Target, host: Host, role: Role): Promise<Found> {
  const [first, ...others] = encryptions(target.tls.mode, host)
  try {
    return await openEncrypted(target, host, first, role)
  } catch (error) {
    const [other] = others
    // prefer and allow try the other way when this one is not wanted: a failed handshake, no line in pg_hba.conf.
    const failure = toPerfdbError(error, { phase: 'connect', label: hostLabel(host) })
    if (other === undefined || (failure.code !== 'TLS_FAILED' && failure.sqlstate !== '28000')) throw error
    return openEncrypted(target, host, other, role).catch((second: unknown) => {
      throw failure.code === 'TLS_FAILED' ? second : error
    })
  }
}

async function openEncrypted(target: Target, host: Host, encryption: Encryption, role: Role): Promise<Found> {
  // What watches a build, or builds many, asks the same few questions at each step; a pooler is refused for both below.
  const prepares = role === 'watchdog' ? 'repeated' : role === 'ddl' ? 'parameters' : 'nothing'
  const wire = await openWire(target, host, encryption, `perfdb ${role}`, prepares)
  try {
    const [look] = await wire.first<LookRow>((backendPid) => lookAndPinSql(role, backendPid))
    if (look !== undefined) return { wire, look }
    throw new PerfdbError('CONNECTION_REFUSED', `${hostLabel(host)} does not answer as a PostgreSQL server`)
  } catch (error) {
    await wire.close()
    throw error
  }
}

async function verifiedSession(target: Target, wire: Wire, look: LookRow, role: Role): Promise<Session> {
  const versionNum = Number(look.version_num)
  if (isTooOld(versionNum)) {
    throw new PerfdbError('SERVER_TOO_OLD', `${hostLabel(wire.host)} runs PostgreSQL ${look.version}`)
  }
  if (laterMajor(versionNum) !== null)
    await assertReadable(async (text, parameters) => wire.run(text, parameters), hostLabel(wire.host))
  const pooled = wire.backendPid() !== look.pid
  if (pooled && (role === 'ddl' || role === 'watchdog' || role === 'ledger')) {
    throw new PerfdbError('POOLER', `${hostLabel(wire.host)} is a connection pooler, not the server`, {
      detail: 'locks, settings and concurrent builds need one backend from beginning to end',
    })
  }
  // Behind a pooler they are set by transaction. The pid may have come in pieces, too late to lean on.
  if (!pooled) checkPinned(role, look.pinned ?? (await pinned(wire, role)))
  // Before anything else that is sent; nobody needs the answer.
  if (role === 'ddl') for (const text of watchClientSql) wire.run(text, []).catch(() => undefined)
  return makeSession(wire, { target, look, role, versionNum, pooled })
}

async function pinned(wire: Wire, role: Role): Promise<ReadBack> {
  const [settings] = await wire.run<Pick<LookRow, 'pinned'>>(pinSql(role, false), [])
  return settings?.pinned ?? []
}

function suits(look: LookRow, wanted: SessionAttributes): boolean {
  const readOnly = look.in_recovery || look.read_only === 'on'
  const answers: Readonly<Record<SessionAttributes, boolean>> = {
    any: true,
    'prefer-standby': true,
    'read-write': !readOnly,
    'read-only': readOnly,
    primary: !look.in_recovery,
    standby: look.in_recovery,
  }
  return answers[wanted]
}

function wrongKind(host: Host, wanted: SessionAttributes): PerfdbError {
  const code = wanted === 'read-write' || wanted === 'primary' ? 'STANDBY' : 'CONNECTION_REFUSED'
  return new PerfdbError(code, `${hostLabel(host)} is not ${wanted}, which target_session_attrs asks for`, {
    hint: 'check the hosts, and target_session_attrs',
  })
}

function withPasswordHint(failure: PerfdbError, target: Target, host: Host): PerfdbError {
  // 28000: no such role, or pg_hba.conf has no line for it. No password would help.
  if (failure.code !== 'AUTHENTICATION_FAILED' || failure.sqlstate === '28000' || target.hasPassword(host))
    return failure
  const detail = target.warnings.length > 0 ? target.warnings.join('; ') : failure.detail
  return new PerfdbError(failure.code, failure.message, {
    detail,
    hint: 'no password was given: set PGPASSWORD, or add a line to .pgpass',
    sqlstate: failure.sqlstate,
    cause: failure.cause,
  })
}

function shuffled(hosts: readonly Host[]): readonly Host[] {
  const ranked = hosts.map((host) => ({ host, rank: Math.random() }))
  return ranked.sort((one, other) => one.rank - other.rank).map(({ host }) => host)
}
