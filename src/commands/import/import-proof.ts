import { canonicalize } from '../../catalog/probe/canonicalize.js'
import type { UnresolvedIndex } from '../../catalog/read/declared.js'
import type { Probed } from '../../catalog/probe/probe.js'
import { readCanonical, readSnapshot } from '../../catalog/read/read.js'
import type { CanonicalDefinition } from '../../catalog/snapshot.js'
import { readOwners, readTrust, type Owners } from '../../catalog/trust.js'
import type { Definition } from '../../definition/definition.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { searchText, type Search } from './import-search.js'

/** A draft as it can be declared, or why no way of writing it gives the same index back. */
export type Proved =
  | { readonly draft: UnresolvedIndex; readonly definition: Definition }
  | { readonly draft: UnresolvedIndex; readonly refusal: string }

/**
 * For each draft the shortest text that PostgreSQL makes the very same index of, asked by the probe as plan asks it: first
 * with everything left out that may be; where that is another index, key by key what may go; at last the server's own text,
 * which is not always right either (`ARRAY[...]::text[]` reads back as another expression). Where no temporary table can be
 * made both sides are compared by EXPLAIN, or by their texts. Drafts without doubt are not asked about.
 */
export async function proveDrafts(
  session: Session,
  drafts: readonly UnresolvedIndex[],
  { canonical, owners }: Known,
): Promise<readonly Proved[]> {
  const doubtful = drafts.filter((draft) => draft.doubtful)
  const proved = new Map<UnresolvedIndex, Proved>()
  let open = doubtful.flatMap((draft): OpenSearch[] => {
    const existing = canonical.get(draft.oid)
    if (existing !== undefined && draft.readable) return [begun(draft, searchText(draft, existing))]
    proved.set(draft, {
      draft,
      refusal: existing === undefined ? 'dropped meanwhile' : 'the role may not read its table',
    })
    return []
  })
  while (open.length > 0) {
    const answers = await answersTo(
      session,
      open.map(({ definition }) => definition),
      owners,
    )
    open = open.flatMap((one, at) => {
      const answer = answers[at]
      if (answer === undefined) return []
      const next = one.search.next(answer)
      if (next.done !== true) return [{ ...one, definition: next.value }]
      proved.set(one.draft, { draft: one.draft, ...next.value })
      return []
    })
  }
  return drafts.map((draft) => proved.get(draft) ?? { draft, definition: draft.write([]) })
}

/** What the catalog says of doubtful drafts before anything is asked about them. */
export interface Known {
  readonly canonical: ReadonlyMap<number, CanonicalDefinition>
  readonly owners: Owners | undefined
}

/** Both asked side by side but behind a pooler; nothing where no draft is doubtful. */
export async function readKnown(session: Session, drafts: readonly UnresolvedIndex[]): Promise<Known> {
  const doubtful = drafts.filter((draft) => draft.doubtful)
  if (doubtful.length === 0) return { canonical: new Map(), owners: undefined }
  const reading = readCanonical(
    session,
    doubtful.map(({ oid }) => oid),
  )
  if (session.pooled) await reading
  const whose = readOwners(
    session,
    doubtful.map((draft) => draft.write([])),
  )
  const [canonical, owners] = await Promise.all([reading, whose])
  return { canonical, owners }
}

interface OpenSearch {
  readonly draft: UnresolvedIndex
  readonly search: Search
  /** What to ask next. */
  readonly definition: Definition
}

function begun(draft: UnresolvedIndex, search: Search): OpenSearch {
  const first = search.next()
  return { draft, search, definition: first.done === true ? draft.write([]) : first.value }
}

async function answersTo(
  session: Session,
  definitions: readonly Definition[],
  owners: Owners | undefined,
): Promise<readonly Probed[]> {
  const declared = definitions.map((definition): DeclaredIndex => ({
    definition,
    for: [],
    place: { file: '', line: 1, column: 1 },
  }))
  const profile = {
    name: '',
    file: '',
    schema: '',
    indexes: declared,
    absent: [],
    extensions: [],
    analyze: [],
    queries: [],
  }
  return canonicalize(session, declared, {
    trust: await readTrust(session, definitions, owners),
    snapshot: async () => readSnapshot(session, [profile]),
  })
}
