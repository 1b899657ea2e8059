import type { Definition, TableName } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { compareByExplain, compareByText } from './compare-by-explain.js'
import { probe, type Probed } from './probe.js'
import type { Snapshot } from '../snapshot.js'
import type { Trust } from '../trust.js'

export interface Canonicalizing {
  readonly trust: ReadonlyMap<Definition, Trust>
  /** Read only where no temporary table can be made. */
  readonly snapshot: () => Promise<Snapshot>
  readonly partitioned?: readonly TableName[]
  /** That a build would create first. */
  readonly extensions?: readonly string[]
}

/**
 * What PostgreSQL makes of each declaration, in their order: by the probe; by EXPLAIN where no temporary table can be made (a standby, a
 * read-only session, no TEMP on the database); by its text alone where either would run foreign code, or
 * EXPLAIN could by the time it is sent.
 */
export async function canonicalize(
  session: Session,
  declared: readonly DeclaredIndex[],
  { trust, snapshot, partitioned = [], extensions = [] }: Canonicalizing,
): Promise<readonly Probed[]> {
  const isProbed = ({ definition }: DeclaredIndex) => trust.get(definition)?.probed !== false
  const probed = declared.filter(isProbed)
  const others = declared.filter((index) => !isProbed(index))
  const answers = await probe(session, probed, trust, partitioned, extensions).catch(async (error: unknown) => {
    if (!(error instanceof PerfdbError) || (error.sqlstate !== '42501' && error.sqlstate !== '25006')) throw error
    const isSafe = ({ definition }: DeclaredIndex) => {
      const { foreign = [], stranger = false } = trust.get(definition) ?? {}
      return foreign.length === 0 && !stranger
    }
    const safe = probed.filter(isSafe)
    others.push(...probed.filter((index) => !isSafe(index)))
    const explained = await compareByExplain(session, safe, await snapshot())
    const found = new Map(safe.map((index, at) => [index, explained[at]]))
    return probed.map((index) => found.get(index))
  })
  const texts = others.length === 0 ? [] : await compareByText(session, others, await snapshot(), trust)
  const found = new Map<DeclaredIndex, Probed | undefined>(probed.map((index, at) => [index, answers[at]]))
  for (const [at, index] of others.entries()) found.set(index, texts[at])
  return declared.map((index): Probed => {
    const answer = found.get(index)
    if (answer === undefined) throw new PerfdbError('INTERNAL', `nothing was asked about ${index.definition.name}`)
    return answer
  })
}
