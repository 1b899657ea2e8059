import type { Counterfactual } from '../../measure/query/counterfactual.js'
import type { Finding } from '../../plan/plan.js'
import type { Connect, Session } from '../../server/session/session.js'

/** auto: where perfdb.yaml or an embedded server allows it (`allowed`), and the role is a superuser; on: else an error; off: never. */
export type CounterfactualChoice = 'auto' | 'allowed' | 'on' | 'off'

/** Whether indexes are hidden to compare, and why not; the reason is null where nobody needs one. */
export interface HidingMode {
  readonly on: boolean
  readonly reason: string | null
}

/** Before anything else: throws PRIVILEGE when indexes must be hidden and the role that measures may not. */
export async function assertCounterfactual(
  connect: Connect,
  {
    measure,
    counterfactual,
  }: { readonly measure: boolean; readonly counterfactual?: CounterfactualChoice | undefined },
): Promise<void> {
  if (counterfactual !== 'on' || !measure) return
  await using session = await connect('measure')
  const { assertMayHide } = await import('../../measure/query/hidden.js')
  await assertMayHide(session)
}

export async function hidingMode(session: Session, choice: CounterfactualChoice = 'auto'): Promise<HidingMode> {
  if (choice === 'off') return { on: false, reason: null }
  if (choice === 'auto') return { on: false, reason: 'indexes were not hidden to compare (--counterfactual on)' }
  const { isSuperuser } = await import('../../measure/query/hidden.js')
  if (!(await isSuperuser(session)))
    return { on: false, reason: `indexes were not hidden to compare: ${session.user} is not a superuser` }
  return { on: true, reason: null }
}

/** COUNTERFACTUAL, for information, for each index that had to be left in. */
export function notHiddenFindings(counterfactual: Counterfactual | null): readonly Finding[] {
  return (counterfactual?.notHidden ?? []).map(({ name, reason }) => ({
    code: 'COUNTERFACTUAL',
    severity: 'info',
    index: name,
    message: `${name} was not hidden to compare: ${reason}`,
    hint: 'its queries are compared before and after the builds',
  }))
}
