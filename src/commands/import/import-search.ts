import type { UnresolvedIndex, Simplification } from '../../catalog/read/declared.js'
import type { Probed } from '../../catalog/probe/probe.js'
import type { CanonicalDefinition } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { isRefused } from '../../catalog/probe/probe.js'
import { sameDefinition } from '../../plan/match/same.js'

/** Yields a definition to ask the server about, takes the answer, and returns what is right in the end. */
export type Search = Generator<Definition, { readonly definition: Definition } | { readonly refusal: string }, Probed>

/** Finds by asking which simplifications of a draft give `existing` back. */
export function* searchText(draft: UnresolvedIndex, existing: CanonicalDefinition): Search {
  const usual = draft.simplifications.filter((one) => !isLast(one))
  const everything = draft.write(usual)
  const first = yield everything
  if (isSame(first, existing)) return { definition: everything }
  let right: readonly Simplification[] = []
  for (const target of new Set([...draft.simplifications, ...draft.verbatim].map(({ key }) => key))) {
    const own = usual.filter(({ key }) => key === target)
    right = [
      ...right,
      ...(isRight(first, existing, target) ? own : yield* searchTarget(draft, existing, target, right)),
    ]
  }
  const found = draft.write(right)
  const last = yield found
  if (isSame(last, existing)) return { definition: found }
  return { refusal: isRefused(last) ? last.problem.message : 'read back it is another index' }
}

/** More are not tried one by one: a predicate with twenty casts that must stay is as good in the server's text. */
const mostTried = 16

/**
 * Of one key, or of the predicate (null): the first set that is right, of those that are likely, and each simplification
 * more that leaves it right; none where no set is. `settled` are those of other keys.
 */
function* searchTarget(
  draft: UnresolvedIndex,
  existing: CanonicalDefinition,
  target: number | null,
  settled: readonly Simplification[],
): Generator<Definition, readonly Simplification[], Probed> {
  const own = draft.simplifications.filter(({ key }) => key === target)
  const verbatim = draft.verbatim.filter(({ key }) => key === target)
  for (const set of [...likelySets(own), ...verbatim.map((one) => [one])]) {
    if (!isRight(yield draft.write([...settled, ...set]), existing, target)) continue
    let right = set
    const verbatimText = set.some(({ part }) => part === 'verbatim')
    const others = own.filter((one) => !set.includes(one) && !isLast(one) && !(verbatimText && one.part === 'text'))
    for (const more of others.slice(0, mostTried)) {
      if (isRight(yield draft.write([...settled, ...right, more]), existing, target)) right = [...right, more]
    }
    return right
  }
  return []
}

/** Casts are needed the most often, then parentheses, then the rest. */
function likelySets(own: readonly Simplification[]): readonly (readonly Simplification[])[] {
  const last = own.filter(isLast)
  const usual = own.filter((one) => !isLast(one))
  const of = (...kinds: readonly string[]) => own.filter((one) => one.part === 'text' && kinds.includes(one.edit.kind))
  const sets = [
    usual,
    usual.filter(({ part }) => part === 'text'),
    of('constant', 'list', 'like', 'parentheses'),
    of('list', 'like'),
    of('list'),
    [],
  ]
  const shrinking = sets.filter((set, at) => at === 0 || set.length < (sets[at - 1]?.length ?? 0))
  return last.length === 0 ? shrinking : [...shrinking, ...shrinking.map((set) => [...set, ...last])]
}

/** Tried only where nothing else is right. */
function isLast(one: Simplification): boolean {
  return one.part === 'text' && one.edit.kind === 'between'
}

function isSame(answer: Probed, existing: CanonicalDefinition): boolean {
  return !isRefused(answer) && sameDefinition(answer.canonical, existing)
}

function isRight(answer: Probed, existing: CanonicalDefinition, target: number | null): boolean {
  if (isRefused(answer)) return false
  const { keys, predicate } = answer.canonical
  return target === null ? predicate === existing.predicate : keys[target] === existing.keys[target]
}
