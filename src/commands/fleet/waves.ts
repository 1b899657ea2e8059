import { PerfdbError } from '../../errors.js'

/** So many tenants, or a share of all of them: what has been done by the end of a wave. */
export type WaveSize = { readonly tenants: number } | { readonly percent: number }

/** `1,10%,100%`. Throws BAD_OPTION. */
export function parseWaves(text: string): readonly WaveSize[] {
  return text.split(',').map((part): WaveSize => {
    const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(part.trim()) ?? []
    const value = Number(digits)
    const right = percent === '%' ? value > 0 && value <= 100 : Number.isInteger(value) && value > 0
    if (digits === undefined || !right)
      throw new PerfdbError('BAD_OPTION', `--waves: ${part.trim()} is neither a number of tenants nor a share`, {
        hint: '--waves 1,10%,100%',
      })
    return percent === '%' ? { percent: value } : { tenants: value }
  })
}

/**
 * The tenants wave by wave: canaries first, then in their order. Each size is what has been done by the end of its wave, so that the last wave takes
 * what is left. Without sizes there is one wave, or the canaries and all others.
 */
export function wavesOf<T>(
  tenants: readonly T[],
  sizes: readonly WaveSize[],
  isCanary: (tenant: T) => boolean,
): readonly (readonly T[])[] {
  const canaries = tenants.filter(isCanary)
  const ordered = [...canaries, ...tenants.filter((tenant) => !isCanary(tenant))]
  const ends = sizes.map((size) =>
    'tenants' in size ? size.tenants : Math.ceil((size.percent / 100) * tenants.length),
  )
  const waves: (readonly T[])[] = []
  let at = 0
  for (const end of [...(canaries.length > 0 ? [canaries.length] : []), ...ends, tenants.length]) {
    if (end <= at) continue
    waves.push(ordered.slice(at, end))
    at = Math.min(end, tenants.length)
  }
  return waves
}
