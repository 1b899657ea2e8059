import type { Session } from '../../server/session/session.js'
import { parseArray } from '../../server/session/values.js'
import { ascendingSql, orderedValuesSql } from '../../sql/twin/twin-statistics.js'
import { domainOf, type Domain, type Typed } from './domains.js'
import { layOut, type Ranked } from './layout.js'
import type { ColumnStatistics, RelationStatistics } from '../statistics.js'

/** Statistics of a column with its values, which are not to be shown, and its type. */
export interface HiddenColumn {
  readonly column: ColumnStatistics
  readonly typed: Typed
  /** Of the column that has the ends of a btree. */
  readonly ends: NonNullable<RelationStatistics['ends']>[number] | undefined
}

/** The same without any of them. */
export interface StoodIn {
  readonly column: ColumnStatistics
  readonly ends: HiddenColumn['ends']
}

interface Laid {
  readonly stands: ReadonlyMap<string, string>
  /** Named values are among them, as they are. */
  readonly named: boolean
}

/**
 * Values of columns exchanged for stand-ins: in all columns of one domain the same value for the same value, in the order of the values, and nothing else of them. `named`
 * are constants that the schema or queries say anyway: they stay, so that a query meets what it means. What has no stand-ins (json, arrays as a whole, ranges) is left out. A
 * session on any server with search_path = pg_catalog. Throws the server's errors.
 */
export async function standIn(
  session: Session,
  columns: readonly HiddenColumn[],
  named: ReadonlySet<string>,
): Promise<readonly StoodIn[]> {
  const domains = new Map<string, Domain>()
  const values = new Map<string, Set<string>>()
  const parts = columns.map((hidden) => partsOf(hidden))
  for (const { domain, texts } of parts.flat()) {
    if (domain === null || domain === 'open') continue
    domains.set(domain.key, domain)
    const known = values.get(domain.key) ?? new Set()
    for (const text of texts) known.add(text)
    values.set(domain.key, known)
  }
  const laid = new Map<string, Laid | null>()
  for (const [key, domain] of domains) laid.set(key, await lay(session, domain, [...(values.get(key) ?? [])], named))
  return columns.map((hidden) => exchanged(hidden, laid))
}

interface Part {
  readonly domain: Domain | 'open' | null
  readonly texts: readonly string[]
}

function partsOf({ column, typed, ends }: HiddenColumn): readonly Part[] {
  const { most_common_vals: common, histogram_bounds: bounds, most_common_elems: elements } = column
  const own = domainOf(typed.type, typed.enum, typed.collation)
  const texts = [...list(common), ...list(bounds), ...(ends === undefined ? [] : [ends.least, ends.greatest])]
  return [
    { domain: own, texts: own === null ? [] : texts },
    { domain: elementDomain(typed), texts: list(elements) },
  ]
}

function elementDomain({ element, element_enum: isEnum, collation }: Typed): Domain | 'open' | null {
  return element === null ? null : domainOf(element, isEnum === true, collation)
}

function list(text: string | undefined): readonly string[] {
  return text === undefined ? [] : parseArray(text, String).map(String)
}

/** null where nobody could lay them out so that their order stays. */
async function lay(
  session: Session,
  domain: Domain,
  values: readonly string[],
  named: ReadonlySet<string>,
): Promise<Laid | null> {
  const { type, collation, position } = domain
  const constants = [...named].filter((one) => domain.looksLike.test(one))
  for (const fixed of constants.length === 0 ? [[]] : [constants, []]) {
    const all = [...new Set([...values, ...fixed])]
    try {
      const rows = await session.query<{ value: string; rank: number; position: string | null }>(
        orderedValuesSql(type, collation, position),
        [all],
      )
      const isNamed = new Set(fixed)
      const ranked = rows.map((row): Ranked => ({
        ...row,
        position: row.position === null ? null : Number(row.position),
        named: isNamed.has(row.value),
      }))
      const stands = layOut(domain, ranked)
      if (stands === null) continue
      const order = [...new Set(rows.map(({ value }) => stands.get(value) ?? value))]
      const [found] = await session.query<{ ascending: boolean }>(ascendingSql(type, collation), [order])
      if (found?.ascending === true) return { stands, named: fixed.length > 0 || constants.length === 0 }
    } catch (error) {
      // A constant of another type than it looks like.
      if (session.lost) throw error
    }
  }
  return null
}

function exchanged({ column, typed, ends }: HiddenColumn, laid: ReadonlyMap<string, Laid | null>): StoodIn {
  const of = (domain: Domain | 'open' | null) =>
    domain === 'open' ? open : domain === null ? null : (laid.get(domain.key) ?? null)
  const own = of(domainOf(typed.type, typed.enum, typed.collation))
  const elements = of(elementDomain(typed))
  const {
    most_common_vals: common,
    most_common_freqs: frequencies,
    histogram_bounds: bounds,
    most_common_elems: elems,
    most_common_elem_freqs: elemFrequencies,
    range_length_histogram: _,
    range_empty_frac: __,
    range_bounds_histogram: ___,
    ...rest
  } = column
  const replaced = (text: string, { stands }: Laid) =>
    arrayText(list(text).map((value) => (stands === open.stands ? value : (stands.get(value) ?? ''))))
  const used = own === null ? elements : own
  return {
    column: {
      ...rest,
      ...(own === null || common === undefined
        ? {}
        : { most_common_vals: replaced(common, own), most_common_freqs: frequencies }),
      ...(own === null || bounds === undefined ? {} : { histogram_bounds: replaced(bounds, own) }),
      ...(elements === null || elems === undefined
        ? {}
        : { most_common_elems: replaced(elems, elements), most_common_elem_freqs: elemFrequencies }),
      ...(used === null || used === open ? {} : { stand_ins: used.named ? ('named' as const) : ('unnamed' as const) }),
    },
    ends:
      own === null || ends === undefined
        ? undefined
        : own === open
          ? ends
          : { ...ends, least: own.stands.get(ends.least) ?? '', greatest: own.stands.get(ends.greatest) ?? '' },
  }
}

/** Labels of enums and truth values are in the schema. */
const open: Laid = { stands: new Map(), named: true }

/** As PostgreSQL reads an array. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`
}
