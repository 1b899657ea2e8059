import { createHash } from 'node:crypto'
import { PerfdbError } from '../errors.js'
import { nearest } from '../text/nearest.js'
import type { TenantRow } from './tenant.js'

export interface Selection {
  /** Globs of ids: any of them; all when there is none. */
  readonly tenant?: readonly string[] | undefined
  /** `name=value`, each of them; several values of one name are any of these. */
  readonly label?: readonly string[] | undefined
  /** Globs of ids that are left out. */
  readonly exclude?: readonly string[] | undefined
  /** `3/8`: the third of eight parts. */
  readonly shard?: string | undefined
}

/**
 * The tenants that the options name, in the order of the list. A name that fits no tenant is a mistake (BAD_OPTION): a mistyped --exclude
 * would work on what it was to spare. A shard may be empty, and is the same whichever tenants come and go.
 */
export function selectTenants(rows: readonly TenantRow[], selection: Selection): readonly TenantRow[] {
  const { tenant = [], label = [], exclude = [], shard } = selection
  const wanted = tenant.map((glob) => matcher(glob, '--tenant', rows))
  const unwanted = exclude.map((glob) => matcher(glob, '--exclude', rows))
  const labels = labelsOf(label, rows)
  const part = shard === undefined ? null : shardOf(shard)
  return rows.filter(
    ({ tenant: { id }, labels: own }) =>
      (wanted.length === 0 || wanted.some((matches) => matches(id))) &&
      !unwanted.some((matches) => matches(id)) &&
      [...labels].every(([name, values]) => values.has(own[name] ?? '')) &&
      (part === null || isInShard(id, part)),
  )
}

/**
 * Whether a tenant is one of --canary. Throws BAD_OPTION for a glob that fits none that the options leave: the first wave would be all tenants. A
 * canary may be in another shard.
 */
export function canariesOf(
  rows: readonly TenantRow[],
  { canary = [], ...selection }: Selection & { readonly canary?: readonly string[] | undefined },
): (id: string) => boolean {
  const selected = canary.length === 0 ? [] : selectTenants(rows, { ...selection, shard: undefined })
  const canaries = canary.map((glob) => {
    const matches = matcher(glob, '--canary', rows)
    if (selected.some(({ tenant }) => matches(tenant.id))) return matches
    throw new PerfdbError(
      'BAD_OPTION',
      `--canary ${glob}: the other options leave out all tenants that are called so`,
      {
        hint: 'see --tenant, --label and --exclude',
      },
    )
  })
  return (id) => canaries.some((matches) => matches(id))
}

/** What a glob of --tenant, --exclude or --canary fits. Throws BAD_OPTION where that is no tenant of the list. */
function matcher(glob: string, option: string, rows: readonly TenantRow[]): (id: string) => boolean {
  const pattern = new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  )
  const matches = (id: string) => pattern.test(id)
  if (rows.some(({ tenant }) => matches(tenant.id))) return matches
  const near = nearest(
    glob,
    rows.map(({ tenant }) => tenant.id),
  )
  throw new PerfdbError('BAD_OPTION', `${option} ${glob}: no tenant is called so`, {
    hint: near === undefined ? 'perfdb plan --tenants lists them' : `did you mean ${near}?`,
  })
}

function labelsOf(texts: readonly string[], rows: readonly TenantRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Set(rows.flatMap(({ labels }) => Object.keys(labels)))
  const wanted = new Map<string, Set<string>>()
  for (const text of texts) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw new PerfdbError('BAD_OPTION', `--label ${text}: the form is name=value`, { hint: '--label region=eu' })
    if (!known.has(name))
      throw new PerfdbError('BAD_OPTION', `--label ${text}: no tenant has a label ${name}`, {
        hint:
          known.size === 0
            ? 'labels: { region: eu } of a tenant, or label_columns of a list'
            : `labels: ${[...known].join(', ')}`,
      })
    wanted.set(name, (wanted.get(name) ?? new Set()).add(value))
  }
  return wanted
}

interface Shard {
  readonly number: number
  readonly of: number
}

function shardOf(text: string): Shard {
  const [, number, of] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? []
  const shard = { number: Number(number), of: Number(of) }
  if (number === undefined || shard.number < 1 || shard.number > shard.of)
    throw new PerfdbError('BAD_OPTION', `--shard ${text}: the form is NUMBER/OF, from 1/${of ?? 8}`, {
      hint: '--shard 3/8',
    })
  return shard
}

/** By the id alone, so that no tenant moves when another comes or goes. */
function isInShard(id: string, { number, of }: Shard): boolean {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % of === number - 1
}
