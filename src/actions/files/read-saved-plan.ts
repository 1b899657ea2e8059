import { PerfdbError } from '../../errors.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { SavedPart } from '../../result/parts/saved-part.js'
import type { Invocation } from '../../settings/invocation.js'

/**
 * The plan that `plan --out` saved: its profiles and what apply goes by. Throws what readNamedFile throws, BAD_VALUE for what is no plan,
 * and PLAN_STALE for one whose text was changed, or that an older perfdb wrote.
 */
export async function readSavedPlan({
  options,
  cwd,
}: Invocation): Promise<{ readonly profiles: readonly string[]; readonly saved: SavedPart } | undefined> {
  if (options.plan === undefined) return undefined
  const hint = 'perfdb plan profile.yaml --out plan.json writes one'
  const document = parseJson(await readNamedFile(options.plan, cwd, hint))
  const [{ planResult }, { digestOf, savedPlan }] = await Promise.all([
    import('../../result/documents/result.js'),
    import('../../result/documents/saved-plan.js'),
  ])
  if (!planResult.safeParse(document).success || typeof document !== 'object' || document === null)
    throw new PerfdbError('BAD_VALUE', `${options.plan} is not a plan that perfdb plan --out wrote`, { hint })
  const parsed = savedPlan.safeParse(document)
  if (!parsed.success)
    throw new PerfdbError('PLAN_STALE', `${options.plan} was not saved by plan --out of this version`)
  if (parsed.data.digest !== digestOf(document))
    throw new PerfdbError('PLAN_STALE', `${options.plan} was changed after perfdb wrote it: its digest is another`)
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
