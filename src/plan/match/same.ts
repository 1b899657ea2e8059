import type { CanonicalDefinition, ExistingIndex } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { rememberPerObject } from './grouping.js'

/** Equal as PostgreSQL prints them. A tablespace that is not declared is not compared: where an index lives is the DBA's choice. */
export function sameDefinition(declared: CanonicalDefinition, existing: CanonicalDefinition): boolean {
  const tablespace = declared.tablespace === null || declared.tablespace === existing.tablespace
  return tablespace && definitionText(declared) === definitionText(existing)
}

/** All that is compared but the tablespace, as one text. */
export const definitionText = rememberPerObject(
  ({ method, unique, nullsDistinct, keys, include, predicate, storage }: CanonicalDefinition): string =>
    JSON.stringify([method, unique, nullsDistinct, keys, include, predicate, storage]),
)

/**
 * True when the index that stands there is word for word what PostgreSQL prints for this declaration, so that no probe
 * is needed. Its own print, read again, is the same index, as pg_dump relies on: but only where nobody's function or operator could be meant by a
 * name that is one of pg_catalog (`overloads`, null where that is not known). Parentheses around the whole of an expression or predicate mean nothing. Anything
 * else, a name that is a keyword too, is left to the probe.
 */
export function plainlySame(
  declared: Definition,
  existing: ExistingIndex,
  overloads: readonly string[] | null = null,
): boolean {
  const { keys, predicate, tablespace } = declared
  if (existing.partitioned || tablespace !== undefined || existing.canonical.keys.length !== keys.length) return false
  if (keys.some(({ opclassParameters }) => opclassParameters !== undefined)) return false
  const texts = [...keys.flatMap(({ expression }) => expression ?? []), ...(predicate === undefined ? [] : [predicate])]
  const certain = texts.every((text) => printsItself(text) || (overloads !== null && isOfCatalog(text, overloads)))
  return certain && rest(existing.indexdef, printed(declared)) === ''
}

/** What is left of the text behind these parts, each in one of its forms; undefined where one is missing. */
function rest(text: string, parts: readonly (string | readonly string[])[]): string | undefined {
  let left = text
  for (const part of parts) {
    const form = [part].flat().find((one) => left.startsWith(one))
    if (form === undefined) return undefined
    left = left.slice(form.length)
  }
  return left
}

/** The way pg_get_indexdef writes it (ruleutils.c); where it needs quotes for another reason, it simply does not match. */
function printed(definition: Definition): readonly (string | readonly string[])[] {
  const { name, table, method, unique, keys, include, nullsDistinct, storage, predicate } = definition
  const keyParts = keys.map(({ column, expression = '', collation, opclass, order, nulls }) => {
    const nullsDefault = order === 'desc' ? 'first' : 'last'
    const more = [
      collation === undefined ? '' : ` COLLATE ${quoted(collation)}`,
      opclass === undefined ? '' : ` ${quoted(opclass)}`,
      order === 'desc' ? ' DESC' : '',
      nulls === undefined || nulls === nullsDefault ? '' : ` NULLS ${nulls.toUpperCase()}`,
    ]
    return [column === undefined ? inParentheses(expression) : quoted(column), more.join('')]
  })
  const settings = Object.entries(storage).map(([name, value]) => `${quoted(name)}=${printedValue(value)}`)
  return [
    `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(name)} ON ${quoted(table.schema)}.${quoted(table.name)} USING ${quoted(method)} (`,
    ...keyParts.flatMap((parts, at) => (at === 0 ? parts : [', ', ...parts])),
    ')',
    include.length > 0 ? ` INCLUDE (${include.map(quoted).join(', ')})` : '',
    nullsDistinct ? '' : ' NULLS NOT DISTINCT',
    settings.length > 0 ? ` WITH (${settings.join(', ')})` : '',
    ...(predicate === undefined
      ? []
      : [' WHERE ', inParentheses(printsItself(predicate) ? upper(predicate) : predicate)]),
  ]
}

/** The longest first. */
function inParentheses(text: string): readonly string[] {
  return [`((${text}))`, `(${text})`, text]
}

/** `a`, `not a`, `a is null`, `a is not null`: no name of theirs is that of a function or an operator. */
function printsItself(text: string): boolean {
  return /^(?:(?:not |NOT )?[a-z_][a-z0-9_]*|[a-z_][a-z0-9_]*(?: is (?:not )?null| IS (?:NOT )?NULL))$/.test(text)
}

function upper(text: string): string {
  return text.replace(/^not | is (?:not )?null$/, (words) => words.toUpperCase())
}

/**
 * Every function and operator of it is one of pg_catalog's, where it is what PostgreSQL prints: that qualifies all others. Forms that stand for
 * a function or an operator without its name are left to the probe.
 */
function isOfCatalog(text: string, overloads: readonly string[]): boolean {
  if (/[\w"]\s*\.\s*[a-z_"]/i.test(text) || unnamed.test(text)) return false
  const names = text.toLowerCase().match(/[a-z_][a-z0-9_$]*|[-+*/<>=~!@#%^&|`?]+/g) ?? []
  const known = overloadsOf(overloads)
  return names.every((name) => !known.has(name))
}

const unnamed =
  /\b(?:case|nullif|greatest|least|extract|at|substring|overlay|position|trim|normali[sz]ed?|distinct|between|similar|i?like|overlaps|collation|treat|(?:xml|json)\w*)\b/i

const overloadsOf = rememberPerObject((names: readonly string[]) => new Set(names))

/** quote_ident but for keywords. */
function quoted(name: string): string {
  return plainName.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

function printedValue(value: string): string {
  return plainName.test(value) ? value : `'${value.replaceAll("'", "''")}'`
}

const plainName = /^[a-z_][a-z0-9_]*$/
