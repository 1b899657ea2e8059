import { dirname, join } from 'node:path'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Listener } from '../../build/events.js'
import { PerfdbError } from '../../errors.js'
import { readPools } from '../../pools/file/read.js'
import { readProfiles } from '../../profile/read/read.js'
import type { Session, Connect } from '../../server/session/session.js'
import { runApply, type ApplyOptions } from '../apply/apply.js'
import { runCheckPool } from '../pool/check-pool.js'
import { demoSchemaStatements } from './demo-data.js'
import { demoShops, type DemoName } from './demo-shops.js'
import type { DemoClaimResult, DemoResult } from '../../result/documents/demo-result.js'
import { exitCode } from '../../result/exit-code.js'
import { runVerify } from '../apply/plan.js'
import type { ApplyResult } from '../../result/documents/result.js'
import { headOf } from '../../result/head.js'

export interface DemoOptions {
  readonly name: DemoName
  readonly scale: number
  readonly report: string
  readonly apply: ApplyOptions
  readonly listener: Listener
}

/**
 * The whole job on a private server: loads the data of a demo, applies its profile with measurements, verifies, checks the pools.
 * Exit code 0 when the job was done and verified: expectations that noise missed and pools that do not fit are part of the
 * story it tells, not failures of the demo.
 */
export async function runDemo(connect: Connect, options: DemoOptions): Promise<DemoResult> {
  const started = performance.now()
  const cwd = await packageFolder()
  const { title, claims, rows } = demoShops[options.name]
  const profiles = await readProfiles([`profiles/${options.name}.yaml`], { cwd, environment: {} })
  const loadMs = await load(connect, options)
  const apply = await runApply(connect, profiles, options.apply)
  await using look = await connect('look')
  const verify = await runVerify(look, profiles, options.apply)
  const pools = await runCheckPool(await readPools([`profiles/${options.name}.pools.yaml`], { cwd, environment: {} }), {
    offline: true,
    failOn: 'fail',
    environment: {},
  })
  const failedSteps = apply.exit_code >= 2 || verify.exit_code !== 0 ? 1 : 0
  const code = exitCode({ signal: options.apply.signalName(), failedSteps })
  return {
    ...headOf(code),
    command: 'demo',
    duration_ms: performance.now() - started,
    shop: title,
    scale: options.scale,
    load_ms: loadMs,
    rows: rows(options.scale),
    claims: claims.flatMap((claim) =>
      claim.queries.map((query) => ({
        claim: claim.claim,
        reported_before: claim.before,
        reported_after: claim.after,
        ...measured(apply, query),
      })),
    ),
    notes: claims.flatMap((claim) => (claim.note === undefined ? [] : [`${claim.claim}: ${claim.note}`])),
    apply,
    verify,
    pools,
    report: options.report,
  }
}

async function load(connect: Connect, { name, scale, listener, apply }: DemoOptions): Promise<number> {
  const started = performance.now()
  await using session: Session = await connect('measure')
  for (const { label, sql } of [...(await demoSchemaStatements(name)), ...demoShops[name].statements(scale)]) {
    if (apply.signal.aborted) throw new PerfdbError('INTERRUPTED', 'ended by a signal while the data was loaded')
    listener({ type: 'stage', stage: 'connect', message: `loading: ${label}` })
    await session.query(sql)
  }
  return performance.now() - started
}

/** The measured side of a claim: of a query, or of the variants that stand for it (the first before, the last after). */
function measured(
  apply: ApplyResult,
  name: string,
): Omit<DemoClaimResult, 'claim' | 'reported_before' | 'reported_after'> {
  const query = apply.queries.find((one) => one.name === name)
  const comparison = apply.comparisons.find((one) => one.query === name)
  const before = comparison?.before?.[0]?.elapsed_ms.median
  const after = comparison?.variants.at(-1)?.elapsed_ms.median
  if (before !== undefined && after !== undefined)
    return { query: name, before_ms: before, after_ms: after, speedup: before / after }
  return {
    query: name,
    ...(query?.params === undefined ? {} : { params: query.params }),
    ...(query?.before === undefined ? {} : { before_ms: query.before.execution_ms.median }),
    ...(query?.after === undefined ? {} : { after_ms: query.after.execution_ms.median }),
    ...(query?.speedup === undefined ? {} : { speedup: query.speedup.median }),
    ...(query?.verdict === undefined ? {} : { verdict: query.verdict }),
  }
}

/** The package's own folder, two levels up in the sources and three in the build. Throws FILE_NOT_FOUND. */
async function packageFolder(): Promise<string> {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = await access(join(folder, 'profiles', 'job-shop.yaml')).then(
      () => true,
      () => false,
    )
    if (found) return folder
    if (dirname(folder) === folder) throw new PerfdbError('FILE_NOT_FOUND', 'the package lacks its folder profiles/')
  }
}
