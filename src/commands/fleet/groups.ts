import {
  tenantOutcomes,
  type TenantGroup,
  type TenantResult,
  type TenantStep,
} from '../../result/documents/fleet-result.js'
import type { ResultFinding } from '../../result/documents/result.js'
import type { Folded } from './fold.js'

interface Group {
  readonly document: Omit<TenantGroup, 'tenants' | 'first' | 'ids'>
  tenants: number
  /** Of the first of them: those that are the same word for word are kept once. */
  readonly steps: readonly TenantStep[]
  readonly findings: readonly ResultFinding[]
  readonly number: number
}

/** Groups by what makes their tenants alike, in the order in which they were met. */
export type Groups = Map<string, Group>

const mostIds = 20

/** A tenant becomes a member of its group, and gets what the group has already where it is the same. */
export function joinGroup(
  groups: Groups,
  key: string,
  { outcome, exit_code, code, reason, steps, findings }: Folded,
): { readonly number: number; readonly steps: TenantStep[]; readonly findings: ResultFinding[] } {
  const changed = steps.filter(({ step }) => step !== 'keep')
  let group = groups.get(key)
  if (group === undefined) {
    const bare = steps.map(withoutFigures)
    const document = { outcome, exit_code, ...(code !== undefined && { code }), reason, steps: bare }
    group = { document, tenants: 0, steps: changed, findings, number: groups.size }
    groups.set(key, group)
  }
  group.tenants += 1
  return {
    number: group.number,
    steps: [...shared(changed, group.steps)],
    findings: [...shared(findings, group.findings)],
  }
}

function withoutFigures(step: TenantStep): TenantStep {
  const bare = { ...step }
  delete bare.duration_ms
  delete bare.size_bytes
  return bare
}

function shared<T>(own: readonly T[], known: readonly T[]): readonly T[] {
  return own.map((one, at) => {
    const other = known[at]
    return other !== undefined && JSON.stringify(one) === JSON.stringify(other) ? other : one
  })
}

/** The groups, worst first, the largest first among equals, and then in the order of the list; and the tenants with the numbers that these have then. */
export function sortedGroups(
  groups: Groups,
  tenants: readonly TenantResult[],
): { readonly groups: TenantGroup[]; readonly tenants: TenantResult[] } {
  // Which tenant was done first is chance.
  const listed = new Map([...new Set(tenants.map(({ group }) => group))].map((number, place) => [number, place]))
  const place = ({ number }: Group) => listed.get(number) ?? 0
  const sorted = [...groups.values()].toSorted(
    (one, other) =>
      rank(one.document) - rank(other.document) || other.tenants - one.tenants || place(one) - place(other),
  )
  const places = new Map(sorted.map(({ number }, place) => [number, place]))
  const placed = tenants.map((tenant) => ({ ...tenant, group: places.get(tenant.group) ?? 0 }))
  const ids = sorted.map((): string[] => [])
  for (const { id, group } of placed) if ((ids[group]?.length ?? mostIds) < mostIds) ids[group]?.push(id)
  return {
    groups: sorted.map(({ document, tenants: number }, place) => {
      const own = ids[place] ?? []
      return { tenants: number, first: own[0] ?? '', ...document, ids: own }
    }),
    tenants: placed,
  }
}

function rank({ outcome }: Pick<TenantGroup, 'outcome'>): number {
  return tenantOutcomes.indexOf(outcome)
}
