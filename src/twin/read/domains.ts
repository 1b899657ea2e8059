/** The type of a column or of an expression, as the catalog prints it. */
export interface Typed {
  readonly type: string
  readonly enum: boolean
  /** Of the elements of an array. */
  readonly element: string | null
  readonly element_enum: boolean | null
  /** null for the default one. */
  readonly collation: string | null
}

/** Values that are compared with each other: those of one domain have one order, in all columns. */
export interface Domain {
  readonly key: string
  /** SQL that reads a value. */
  readonly type: string
  readonly collation: string | null
  /** SQL of where `$v` lies on a scale; null for what has no distances. */
  readonly position: string | null
  /** No two stand-ins lie nearer, and none further from 0 than `limit`; `step` where nothing says how far they lie from each other. */
  readonly grid: number
  readonly step: number
  /** Where they begin then. */
  readonly from: number
  readonly limit: number
  /** Most letters of a stand-in. */
  readonly width: number
  /** What may be a value of it, of constants whose type nobody says. */
  readonly looksLike: RegExp
  /** The value at a position, or of a text of digits. */
  readonly write: (position: number | string) => string
}

const number = /^-?\d+(\.\d+)?$/
const whole = /^-?\d+$/
const date = /^\d{4}-\d\d-\d\d/

/** A domain of columns of this type. `open`: its values are in the schema (labels of enums) or nobody's. null: there are no stand-ins of it. */
export function domainOf(type: string, isEnum: boolean, collation: string | null): Domain | 'open' | null {
  if (isEnum || type === 'boolean') return 'open'
  if (type === 'smallint') return integers('smallint', 32_767)
  // Keys of the one are joined with keys of the other.
  if (type === 'integer' || type === 'bigint') return integers('bigint', 2_147_483_647)
  if (['numeric', 'real', 'double precision'].includes(type)) return decimals('numeric', 6, 1e12)
  const [, digits, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? []
  if (digits !== undefined) return decimals(type, Number(scale), 10 ** (Number(digits) - Number(scale)) * 0.99)
  if (type === 'date') return days
  const [, zone] = /^timestamp(?:\(\d\))? (with|without) time zone$/.exec(type) ?? []
  if (zone !== undefined) return moments(zone === 'with' ? 'timestamptz' : 'timestamp')
  if (type === 'uuid') return uuids
  const [, name, length] = /^(text|character varying|character|name)(?:\((\d+)\))?$/.exec(type) ?? []
  if (name === undefined) return null
  return length === undefined || Number(length) >= long
    ? texts('text', collation, Infinity)
    : texts(type, collation, Number(length))
}

/** Texts of so many letters hold the stand-ins of all others. */
const long = 32

const noLetters = { collation: null, width: Infinity, from: 0 }

function integers(type: string, limit: number): Domain {
  return { key: type, type, position: '$v', grid: 1, step: 1000, limit, looksLike: whole, write: String, ...noLetters }
}

function decimals(type: string, digits: number, limit: number): Domain {
  const write = (position: number | string) => Number(position).toFixed(digits)
  const place = { position: '$v', grid: 10 ** -digits, step: 1, limit, looksLike: number, write }
  return { key: type, type, ...place, ...noLetters }
}

/** 2000-01-01 in milliseconds since 1970. */
const epoch = 946_684_800_000

const days: Domain = {
  key: 'date',
  type: 'date',
  position: `($v - date '2000-01-01')`,
  grid: 1,
  step: 1,
  // 3000-01-01: whoever sees one knows what it is.
  from: 365_243,
  limit: 2_500_000,
  looksLike: date,
  write: (position) => new Date(epoch + Number(position) * 86_400_000).toISOString().slice(0, 10),
  collation: null,
  width: Infinity,
}

/** In milliseconds. */
function moments(type: string): Domain {
  const zone = type === 'timestamptz' ? '+00' : ''
  const write = (position: number | string) =>
    `${new Date(epoch + Number(position)).toISOString().replace('T', ' ').slice(0, -1)}${zone}`
  const position = `(extract(epoch from $v) * 1000 - ${epoch})`
  return { ...days, key: type, type, position, step: 60_000, from: days.from * 86_400_000, limit: 8e13, write }
}

/** A type with a length has stand-ins of its own, which have to fit. */
function texts(type: string, collation: string | null, width: number): Domain {
  const place = { position: null, grid: 1, step: 1, from: 0, limit: Infinity, looksLike: /^/, write: String }
  return { key: `${type} ${collation ?? ''}`, type: 'text', collation, width, ...place }
}

const uuids: Domain = {
  ...texts('uuid', null, Infinity),
  type: 'uuid',
  // Between two of them there is no room that digits fill.
  looksLike: /(?!)/,
  write: (digits) => `00000000-0000-4000-8000-${String(digits).padStart(12, '0')}`,
}
