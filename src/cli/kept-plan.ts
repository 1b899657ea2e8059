import { PerfdbError } from '../errors.js'
import { readNamedFile } from '../profile/text-file.js'
import type { Invocation } from './invocation.js'

/** `plan --out` writes the result document; apply needs its profiles and its fingerprint. Throws what readNamedFile throws, and BAD_VALUE. */
export async function keptPlan({
  options,
  cwd,
}: Invocation): Promise<{ readonly profiles: readonly string[]; readonly fingerprint: string } | undefined> {
  if (options.plan === undefined) return undefined
  const hint = 'perfdb plan profile.yaml --out plan.json writes one'
  const text = await readNamedFile(options.plan, cwd, hint)
  const { planResult } = await import('../result/result.js')
  const parsed = planResult.safeParse(parseJson(text))
  if (!parsed.success)
    throw new PerfdbError('BAD_VALUE', `${options.plan} is not a plan that perfdb plan --out wrote`, { hint })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
