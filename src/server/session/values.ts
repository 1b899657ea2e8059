import type { Parameter } from './session.js'

/**
 * How values arrive. Types by OID (pg_type.dat); arrays of the scalar types are read here, because postgres.js would ask
 * the server for every array type first. 'infinity' is the last moment a Date can hold, which Date itself cannot read.
 */
const scalars: readonly Scalar[] = [
  { oid: 16, array: 1000, parse: (text) => text === 't' },
  // int8, int2, int4, oid, float4, float8; a number holds 53 bits, which no size or count of a server exceeds.
  ...[
    [20, 1016],
    [21, 1005],
    [23, 1007],
    [26, 1028],
    [700, 1021],
    [701, 1022],
  ].map(([oid = 0, array = 0]) => ({ oid, array, parse: Number })),
  { oid: 114, array: 199, parse: parseJson },
  { oid: 3802, array: 3807, parse: parseJson },
  { oid: 1082, array: 1182, parse: (text) => moment(text, 'T00:00:00Z') },
  { oid: 1114, array: 1115, parse: (text) => moment(text.replace(' ', 'T'), 'Z') },
  { oid: 1184, array: 1185, parse: (text) => moment(text.replace(' ', 'T').replace(/\+00$/, ''), 'Z') },
  // "char", name, text, varchar, numeric, regclass: as the text they are.
  ...[
    [18, 1002],
    [19, 1003],
    [25, 1009],
    [1043, 1015],
    [1700, 1231],
    [2205, 2210],
  ].map(([oid = 0, array = 0]) => ({ oid, array, parse: asText })),
]

interface Scalar {
  readonly oid: number
  readonly array: number
  readonly parse: (text: string) => unknown
}

/** int2vector and oidvector: numbers with blanks between. */
const vectors = [22, 30]

interface WireType {
  to: number
  from: number[]
  serialize: (text: string) => unknown
  parse: (text: string) => unknown
}

/** The `types` option of postgres.js. Parameters are text already: its own ideas of json, boolean and dates are replaced. */
export function wireTypes(): Record<string, WireType> {
  const entries = [
    ...scalars.map(({ oid, parse }) => [oid, parse] as const),
    ...scalars.map(({ array, parse }) => [array, (text: string) => parseArray(text, parse)] as const),
    ...vectors.map((oid) => [oid, (text: string) => (text === '' ? [] : text.split(' ').map(Number))] as const),
    // bytea: postgres.js would read and write a Buffer.
    [17, asText] as const,
  ]
  return Object.fromEntries(
    entries.map(([oid, parse]) => [`type${oid}`, { to: oid, from: [oid], serialize: asText, parse }]),
  )
}

/** A parameter as the text that is sent; the server infers the type from the statement. */
export function parameterText(value: Parameter): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `{${value.map((element) => `"${String(element).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/** An array literal (manual: "Array Input and Output Syntax"), nested ones too; lower bounds are dropped. */
export function parseArray(text: string, parse: (element: string) => unknown): unknown[] {
  const tokens = text.slice(text.indexOf('{')).matchAll(/[{}]|"((?:[^"\\]|\\.)*)"|([^{},"]+)/gsu)
  const root: unknown[] = []
  const open: unknown[][] = [root]
  for (const [token, quoted, plain] of tokens) {
    const current = open.at(-1) ?? root
    if (token === '{') {
      const inner: unknown[] = []
      current.push(inner)
      open.push(inner)
    } else if (token === '}') {
      open.pop()
    } else if (quoted !== undefined) {
      current.push(parse(quoted.replace(/\\(.)/gsu, '$1')))
    } else {
      current.push(plain === 'NULL' ? null : parse(plain ?? ''))
    }
  }
  const [outer] = root
  return Array.isArray(outer) ? outer : []
}

function moment(text: string, zone: string): Date {
  if (text === 'infinity') return new Date(8.64e15)
  if (text === '-infinity') return new Date(-8.64e15)
  return new Date(text + zone)
}

function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return value
}

function asText(text: string): string {
  return text
}
