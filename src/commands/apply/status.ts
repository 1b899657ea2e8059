import { blockerTexts, lookAt } from '../../build/look.js'
import { readSnapshot } from '../../catalog/read/read.js'
import { PerfdbError } from '../../errors.js'
import type { RunningBuild } from '../../catalog/snapshot.js'
import type { Run } from '../../ledger/ledger.js'
import { readOwnedIndexes } from '../../ledger/read/owned.js'
import { readLedger } from '../../ledger/records/history.js'
import type { Session } from '../../server/session/session.js'
import { about } from '../shared/documents.js'
import { exitCode } from '../../result/exit-code.js'
import type { Finding } from '../../plan/plan.js'
import type { StatusResult } from '../../result/documents/result.js'

/** Runs of the ledger, builds under way in this database, and whom they wait for. Writes nothing. */
export async function runStatus(session: Session, limit: number): Promise<StatusResult> {
  const startedAt = new Date()
  const snapshot = await readSnapshot(session, [])
  const { ledger, refusal } = await readLedger(session).then(
    (found) => ({ ledger: found, refusal: null }),
    // What is being built, and who is in its way, is asked for at night: that needs no ledger.
    (error: unknown) => ({ ledger: null, refusal: untrusted(error) }),
  )
  const runs = ledger === null ? [] : await ledger.runs(limit)
  const interrupted = ledger === null ? [] : await ledger.interruptedRuns()
  const owned = ledger === null ? [] : await ownedDocument(session)
  const builds: StatusResult['builds'] = []
  for (const build of snapshot.builds) builds.push(await buildDocument(session, build))
  return {
    ...about(exitCode({}), snapshot.server, startedAt),
    command: 'status',
    ledger: ledger !== null,
    runs: runs.map(runDocument),
    ...(owned.length === 0 ? {} : { owned }),
    builds,
    findings: [...(refusal === null ? [] : [refusal]), ...interrupted.map(interruptedFinding)],
  }
}

/** By profile, in the order of their names: what perfdb built, and how much of it is not there any more under its name. */
async function ownedDocument(session: Session): Promise<NonNullable<StatusResult['owned']>> {
  const owned = await readOwnedIndexes(session)
  const there = await session.query<{ key: string }>(thereSql, [
    JSON.stringify(owned.map(({ schema, name }) => ({ schema, name }))),
  ])
  const known = new Set(there.map(({ key }) => key))
  const profiles = new Map<string, { indexes: number; gone: number }>()
  for (const { profile, files, schema, name } of owned) {
    const key = profile ?? files.join(', ')
    const { indexes, gone } = profiles.get(key) ?? { indexes: 0, gone: 0 }
    profiles.set(key, { indexes: indexes + 1, gone: gone + (known.has(`${schema}.${name}`) ? 0 : 1) })
  }
  return [...profiles]
    .map(([profile, counts]) => ({ profile, ...counts }))
    .sort((a, b) => (a.profile < b.profile ? -1 : 1))
}

const thereSql = `select n.nspname || '.' || c.relname as key
  from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('i', 'I')`

function untrusted(error: unknown): Finding {
  if (!(error instanceof PerfdbError) || error.code !== 'LEDGER_UNTRUSTED') throw error
  const { code, message, detail = '', hint } = error
  return { code, severity: 'warning', message: `${message}: ${detail}`, hint }
}

async function buildDocument(session: Session, build: RunningBuild): Promise<StatusResult['builds'][number]> {
  const look = await lookAt(session, build.pid)
  return {
    pid: build.pid,
    table: build.table,
    index: build.index,
    phase: build.phase,
    percent: build.percent,
    age_ms: build.ageMs,
    user: build.user,
    application_name: build.applicationName,
    blockers: look === undefined ? [] : [...blockerTexts(look)],
  }
}

function runDocument(run: Run): StatusResult['runs'][number] {
  return {
    run: run.run,
    command: run.command,
    started_at: run.startedAt.toISOString(),
    finished_at: run.finishedAt?.toISOString() ?? null,
    outcome:
      run.rolledBackBy === null
        ? `${run.outcome ?? 'not finished'}${run.undone === 0 ? '' : `, ${run.undone} of its steps rolled back`}`
        : `${run.outcome ?? ''}, rolled back by run ${run.rolledBackBy}`,
    built: run.built,
    dropped: run.dropped,
    failed: run.failed,
    user: run.user,
    ...(run.fleet !== null && { fleet_run: run.fleet.run, tenant: run.fleet.tenant }),
  }
}

function interruptedFinding(run: Run): Finding {
  return {
    code: 'INTERRUPTED',
    severity: 'warning',
    message: `run ${run.run} began and never ended`,
    hint: `perfdb apply ${run.profiles.join(' ')} finishes it`,
  }
}
