import type { Place, Problem } from '../../errors.js'
import { suggestion } from '../../text/nearest.js'
import type { Profile } from '../profile.js'
import { qualify } from '../written/qualify.js'
import type { WrittenName, WrittenProfile } from '../written/schema.js'
import type { Path, ProfileSource } from '../written/source.js'

/** An index name of one file: declared, or declared absent. */
export interface IndexName {
  readonly schema: string
  readonly name: string
  readonly absent: boolean
  /** The name as messages may show it. */
  readonly shown: string
  readonly place: Place
}

export interface Names {
  readonly indexes: readonly IndexName[]
  readonly problems: readonly Problem[]
}

/**
 * The names of a YAML profile, read from whatever stands in it when that is no profile, so that DUPLICATE_NAME and UNKNOWN_REFERENCE are found
 * in a file that has other problems as well. What is no name at all is passed over: the schema reports it.
 */
export function namesOf(written: WrittenProfile | undefined, plain: unknown, { placeOf, show }: ProfileSource): Names {
  const { schema = 'public', indexes = [], absent = [], queries = [] } = written ?? looseNames(plain)
  const { mix = {}, params = {} } = written?.load ?? {}
  const at = (path: Path) => ({ shown: show(path), place: placeOf(path.slice(0, 2)) })
  const declared = indexes.map(({ name, table }, index) => ({
    schema: qualify(table, schema).schema,
    name,
    absent: false,
    ...at(['indexes', index, 'name']),
  }))
  const unwanted = absent.map((name, index) => ({ ...qualify(name, schema), absent: true, ...at(['absent', index]) }))
  const known = queries.map(({ name }) => name).filter((name) => name !== '')
  const unknown = indexes.flatMap((written, index) =>
    (written.for ?? []).flatMap((name, item): Problem[] => {
      if (name === '' || known.includes(name)) return []
      const path = ['indexes', index, 'for', item]
      const message = `unknown query ${show(path)}${suggestion(name, known)}`
      return [{ code: 'UNKNOWN_REFERENCE', message, place: placeOf(path) }]
    }),
  )
  const ofLoad = Object.entries({ mix, params }).flatMap(([key, of]) =>
    Object.keys(of).flatMap((name): Problem[] => {
      if (known.includes(name)) return []
      const message = `unknown query "${name}"${suggestion(name, known)}`
      return [{ code: 'UNKNOWN_REFERENCE', message, place: placeOf(['load', key, name], 'key') }]
    }),
  )
  const twice = queries.flatMap(({ name }, index): Problem[] => {
    const first = queries.findIndex((other) => other.name === name)
    if (name === '' || first === index) return []
    const { shown, place } = at(['queries', index, 'name'])
    const message = `query ${shown} is declared twice, first at ${shownPlace(placeOf(['queries', first]))}`
    return [{ code: 'DUPLICATE_NAME', message, hint: 'rename or remove one', place }]
  })
  return {
    indexes: [...declared, ...unwanted].filter(({ name }) => name !== ''),
    problems: [...unknown, ...ofLoad, ...twice],
  }
}

/** The index names of a complete profile. */
export function indexNames({ indexes, absent }: Profile): readonly IndexName[] {
  return [
    ...indexes.map(({ definition: { name, table }, place }) => {
      return { schema: table.schema, name, absent: false, shown: `"${name}"`, place }
    }),
    ...absent.map((index) => ({ ...index, absent: true, shown: `"${index.name}"` })),
  ]
}

/** DUPLICATE_NAME for each index that is declared twice, or both declared and absent, over all files. */
export function duplicateNames(names: readonly IndexName[]): readonly Problem[] {
  const first = new Map<string, IndexName>()
  return names.flatMap((index): Problem[] => {
    const key = JSON.stringify([index.schema, index.name])
    const other = first.get(key)
    first.set(key, other ?? index)
    if (other === undefined || (other.absent && index.absent)) return []
    const how = other.absent === index.absent ? 'declared twice' : 'both declared and absent'
    const message = `index ${index.shown} of schema "${index.schema}" is ${how}, first at ${shownPlace(other.place)}`
    return [{ code: 'DUPLICATE_NAME', message, place: index.place }]
  })
}

function shownPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`
}

/** What stands where names stand, and '' for what is none: a schema of its own to read a file that has mistakes would take longer to make than to use. */
function looseNames(plain: unknown) {
  const { schema, indexes, absent, queries } = partsOf(plain)
  return {
    schema: typeof schema === 'string' ? schema : 'public',
    indexes: listOf(indexes).map((index) => {
      const { name, table, for: queries } = partsOf(index)
      return { name: textOf(name), table: nameIn(table), for: listOf(queries).map(textOf) }
    }),
    absent: listOf(absent).map(nameIn),
    queries: listOf(queries).map((query) => ({ name: textOf(partsOf(query)['name']) })),
  }
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function nameIn(value: unknown): WrittenName {
  const { schema, name } = partsOf(value)
  if (typeof name !== 'string') return textOf(value)
  return schema === undefined ? { name } : typeof schema === 'string' ? { schema, name } : ''
}
