import type { Proven } from './proof-expectations.js'
import type { Recorder } from '../../build/context.js'
import { attributesOf } from '../../plan/index-attributes.js'
import type { Step } from '../../plan/plan.js'
import { asWritten, type AsWritten } from '../../profile/as-written.js'
import type { Profile } from '../../profile/profile.js'
import type { FleetPart, Ledger } from '../../ledger/ledger.js'
import type { Session } from '../../server/session/session.js'
import type { ApplyResult } from '../../result/documents/result.js'
import { shownDocument } from '../../result/shown.js'
import { perfdbVersion } from '../../result/version.js'

/** The record of one run: what the ledger is told while it goes on and at its end. */
export interface RunRecord {
  /** Number of the run in the ledger; null without a ledger. */
  readonly run: number | null
  readonly recorder: Recorder
  /** To be called before they are created. */
  extensions(names: readonly string[]): Promise<void>
  /** What earlier runs measured. */
  readonly proven: Proven
  /** Throws nothing: the catalog is the truth, and the result is told even when the ledger cannot be written. */
  finish(result: ApplyResult): Promise<void>
  /** The run ended before it built anything. Throws nothing. */
  abandon(): Promise<void>
}

/** --no-ledger: nothing is kept. */
export const noRecord: RunRecord = {
  run: null,
  recorder: { started: async () => {}, finished: async () => {} },
  extensions: async () => {},
  proven: async () => null,
  finish: async () => {},
  abandon: async () => {},
}

export interface RunAbout {
  readonly command: 'apply' | 'rollback'
  /** Whose indexes are declared; a rollback has those of the run that it undoes. */
  readonly profiles: readonly Pick<Profile, 'name' | 'file' | 'indexes' | 'filled'>[]
  readonly fingerprint: string
  /** Of the session that builds. */
  readonly backendPid: number
  readonly fleet?: FleetPart | undefined
}

/** Installs the ledger on `session` when it is not there, and opens a run in it, which `writer` writes. Throws PRIVILEGE with the hint --no-ledger. */
export async function openRecord(session: Session, writer: Session, about: RunAbout): Promise<RunRecord> {
  const { openLedger } = await import('../../ledger/records/history.js')
  const ledger = await openLedger(session, writer)
  const run = await ledger.startRun({
    ...about,
    profiles: about.profiles.map(({ file }) => file),
    profileNames: about.profiles.map(({ name }) => name),
    perfdbVersion: perfdbVersion(),
  })
  const shown = asWritten(about.profiles)
  const names = new Map(
    about.profiles.toReversed().flatMap(({ name, indexes }) => indexes.map(({ definition }) => [definition, name])),
  )
  const profileOf = ({ declared }: Step) => (declared === null ? null : (names.get(declared) ?? null))
  return {
    run,
    recorder: {
      started: (step, number) =>
        ledger.startStep(run, {
          number,
          step: step.step,
          schema: step.schema,
          index: step.index,
          indexBefore: step.step === 'adopt' ? (step.existing?.name ?? null) : null,
          table: step.table,
          profile: profileOf(step),
          tableOid: step.existing?.tableOid ?? null,
          indexBeforeOid: step.existing?.oid ?? null,
          canonicalBefore: step.existing?.canonical ?? null,
          // What a REINDEX left nobody wants back.
          ddlBefore: step.leftoverOf === undefined ? (step.existing?.indexdef ?? null) : null,
          keptBefore: step.kept ?? (step.existing === null ? null : attributesOf(step.existing)),
          ddlAfter: ddlAfter(step, shown),
          canonical: step.canonical,
          predictedBytes: step.predictedBytes,
        }),
      finished: (result, number) =>
        ledger.finishStep(run, number, {
          outcome: result.outcome,
          index: result.index,
          sizeBytes: result.sizeBytes,
          durationMs: result.durationMs,
          waitedMs: result.waitedMs,
          error: result.error === null ? null : shownDocument(result.error, shown),
        }),
    },
    extensions: (names) => ledger.recordExtensions(run, names),
    proven: async (query, indexes) => ledger.provenSpeedup(query, indexes),
    finish: (result) => writeEnd(ledger, run, shownDocument(result, shown)).catch(() => undefined),
    abandon: () => ledger.finishRun(run, 'failed').catch(() => undefined),
  }
}

async function writeEnd(ledger: Ledger, run: number, result: ApplyResult): Promise<void> {
  for (const query of result.queries) {
    for (const side of ['before', 'after'] as const) {
      const document = query[side]
      if (document === undefined) continue
      const { name, params, verdict, speedup } = query
      await ledger.recordMeasurement(run, {
        query: name,
        parameterSet: params ?? null,
        side,
        verdict: verdict ?? null,
        document: side === 'after' && speedup !== undefined ? { ...document, speedup } : document,
      })
    }
  }
  await ledger.finishRun(run, result.exit_code >= 129 ? 'interrupted' : result.exit_code === 3 ? 'failed' : 'done')
}

/** The statement that builds; of a partitioned index all of them. */
function ddlAfter({ statements, partitioned }: Step, shown: AsWritten): string | null {
  const build = statements.find((statement) => statement.kind === 'build')
  if (partitioned === true) return shown(statements.flatMap(({ sql }) => sql).join(';\n'))
  return build === undefined ? null : shown(build.sql.join(';\n'))
}
