import type { Limits } from '../../measure/sample/limits.js'
import type { Session } from '../../server/session/session.js'
import type { Present } from '../../twin/suppose/suppose.js'
import { proposalsFor, type Proposal } from '../candidates.js'
import { concerns, type Look, type Option } from '../outcomes.js'
import type { Trigrams } from '../trigrams.js'
import { chooseIndexes, type Choice } from './choose.js'

/** For a query alone: what was chosen, and of how many that were tried. */
export interface OwnChoice extends Pick<Choice, 'chosen' | 'before' | 'after'> {
  readonly tried: number
}

/** More than these for one query nobody wants. */
const mostForOne = 4

/**
 * The indexes that each of these queries alone would choose, whatever the others need and writes cost; all are made on the engine at once. `trigrams`: as for proposalsFor. The engine
 * shows none of them afterwards. Throws the server's errors.
 */
export async function chooseForEach(
  session: Session,
  look: Look,
  presents: readonly Present[],
  limits: Limits,
  trigrams: Trigrams | null,
): Promise<ReadonlyMap<Present, OwnChoice>> {
  const weighed = presents.map((present) => ({ present, weight: 1 }))
  const { proposals } = await proposalsFor(session, look.twin, weighed, limits, trigrams)
  const options = await optionsOf(look.twin, proposals)
  const found = new Map<Present, OwnChoice>()
  for (const query of weighed) {
    const own = options.filter((option) => concerns(look, query, [option]))
    const bounds = { priceOf: () => 0, mostIndexes: mostForOne, mostBytes: Number.POSITIVE_INFINITY }
    found.set(query.present, { ...(await chooseIndexes(look, own, [query], bounds)), tried: own.length })
  }
  await look.twin.show([])
  return found
}

/** Makes them on the engine: those that PostgreSQL takes. Throws the server's errors but those of a definition. */
export async function optionsOf(engine: Look['twin'], proposals: readonly Proposal[]): Promise<readonly Option[]> {
  const tried = proposals.length === 0 ? [] : await engine.build(proposals)
  return proposals.flatMap((proposal, at): readonly Option[] => {
    const index = tried[at]
    return index === undefined || index.refused !== null ? [] : [{ ...proposal, tried: index }]
  })
}
