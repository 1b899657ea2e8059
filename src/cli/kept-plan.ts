import { readFile } from 'node:fs/promises'
import { PerfdbError } from '../errors.js'
import type { Invocation } from './invocation.js'

/** `plan --out` writes the result document; apply needs its profiles and its fingerprint. Throws FILE_NOT_FOUND and BAD_VALUE. */
export async function keptPlan({
  options,
}: Invocation): Promise<{ readonly profiles: readonly string[]; readonly fingerprint: string } | undefined> {
  if (options.plan === undefined) return undefined
  const text = await readFile(options.plan, 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new PerfdbError('FILE_NOT_FOUND', `there is no file ${options.plan}`, {
      hint: 'perfdb plan profile.yaml --out plan.json writes one',
    })
  const { planResult } = await import('../commands/result.js')
  const parsed = planResult.safeParse(parseJson(text))
  if (!parsed.success)
    throw new PerfdbError('BAD_VALUE', `${options.plan} is not a plan that perfdb plan --out wrote`, {
      hint: 'perfdb plan profile.yaml --out plan.json writes one',
    })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
