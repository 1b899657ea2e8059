import { compareByExplain } from '../catalog/compare-by-explain.js'
import { readIndexes, type Draft, type Simplification } from '../catalog/declared.js'
import { probe, type Probed } from '../catalog/probe.js'
import { readSnapshot } from '../catalog/read.js'
import type { ExistingIndex } from '../catalog/snapshot.js'
import type { Definition } from '../definition/definition.js'
import { PerfdbError } from '../errors.js'
import { isRefused } from '../plan/plan-indexes.js'
import { sameDefinition } from '../plan/same.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { Session } from '../server/session.js'

/** A draft as it can be declared, or why no way of writing it gives the same index back. */
export type Proved =
  | { readonly draft: Draft; readonly definition: Definition }
  | { readonly draft: Draft; readonly refusal: string }

/**
 * For each draft the shortest text that PostgreSQL makes the very same index of, asked by the probe as plan asks it: first
 * with everything left out that may be, then each simplification by itself, at last the server's own text. Where no
 * temporary table can be made both sides are compared by EXPLAIN. Drafts without doubt are not asked about.
 */
export async function proveDrafts(session: Session, drafts: readonly Draft[]): Promise<readonly Proved[]> {
  const doubtful = drafts.filter((draft) => draft.doubtful)
  const existing = await readIndexes(
    session,
    doubtful.map(({ oid }) => oid),
  )
  const proved = new Map<Draft, Proved>()
  let attempts = doubtful.map(firstAttempt)
  while (attempts.length > 0) {
    const answers = await answersTo(session, attempts)
    attempts = attempts.flatMap((attempt, at) => {
      const next = judged(attempt, answers[at], existing.get(attempt.draft.oid))
      if ('stage' in next) return [next]
      proved.set(attempt.draft, next)
      return []
    })
  }
  return drafts.map((draft) => proved.get(draft) ?? { draft, definition: draft.write([]) })
}

/**
 * all: every simplification at once, which is right for most. none: not one. each: those that were right so far and the
 * next one. plain: the server's very own text.
 */
interface Attempt {
  readonly draft: Draft
  readonly stage: 'all' | 'none' | 'each' | 'plain'
  readonly right: readonly Simplification[]
  readonly rest: readonly Simplification[]
}

/** More are not tried one by one: a predicate with twenty casts that must stay is as good in the server's text. */
const mostTried = 16

function firstAttempt(draft: Draft): Attempt {
  return { draft, stage: 'all', right: draft.simplifications, rest: [] }
}

function definitionOf({ draft, stage, right, rest }: Attempt): Definition {
  return stage === 'plain' ? draft.plain : draft.write([...right, ...rest.slice(0, 1)])
}

function judged(attempt: Attempt, answer: Probed | undefined, existing: ExistingIndex | undefined): Attempt | Proved {
  const { draft, stage, right, rest } = attempt
  if (existing === undefined) return { draft, refusal: 'it was dropped meanwhile' }
  const same = answer !== undefined && !isRefused(answer) && sameDefinition(answer.canonical, existing.canonical)
  switch (stage) {
    case 'all':
      if (same) return { draft, definition: definitionOf(attempt) }
      return { draft, stage: right.length === 0 ? 'plain' : 'none', right: [], rest: [] }
    case 'none': {
      if (!same) return { draft, stage: 'plain', right: [], rest: [] }
      const tried = draft.simplifications.length === 1 ? [] : draft.simplifications.slice(0, mostTried)
      return nextOf({ draft, stage: 'each', right: [], rest: tried })
    }
    case 'each':
      return nextOf({ draft, stage, right: same ? [...right, ...rest.slice(0, 1)] : right, rest: rest.slice(1) })
    case 'plain':
      if (same) return { draft, definition: draft.plain }
      return {
        draft,
        refusal: answer !== undefined && isRefused(answer) ? answer.problem.message : 'read back it is another index',
      }
  }
}

function nextOf(attempt: Attempt): Attempt | Proved {
  return attempt.rest.length > 0 ? attempt : { draft: attempt.draft, definition: definitionOf(attempt) }
}

async function answersTo(session: Session, attempts: readonly Attempt[]): Promise<readonly Probed[]> {
  const declared = attempts.map((attempt): DeclaredIndex => ({
    definition: definitionOf(attempt),
    for: [],
    place: { file: '', line: 1, column: 1 },
  }))
  return probe(session, declared).catch(async (error: unknown) => {
    if (!(error instanceof PerfdbError) || (error.sqlstate !== '42501' && error.sqlstate !== '25006')) throw error
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
    return compareByExplain(session, declared, await readSnapshot(session, [profile]))
  })
}
