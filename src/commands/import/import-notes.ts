import type { LeftOut, LeftOutIndex } from '../../catalog/read/declared.js'
import type { ImportNote } from '../../result/documents/import-result.js'

/** What was left out, grouped by why, the names in full; `keptParts` are attached ones whose own parts are in the profile. */
export function leftOutNotes(
  leftOut: readonly LeftOutIndex[],
  keptParts: ReadonlySet<LeftOutIndex>,
): readonly ImportNote[] {
  const of = (...kinds: readonly LeftOut[]) => leftOut.filter((index) => kinds.includes(index.leftOut))
  const constraints = of('p', 'u', 'x')
  const kinds = [
    [of('p').length, 'primary key'],
    [of('u').length, 'unique'],
    [of('x').length, 'exclusion'],
  ] as const
  const parts = kinds.flatMap(([number, kind]) => (number === 0 ? [] : [`${number} ${kind}`])).join(', ')
  return [
    noteOf('CONSTRAINT', constraints, (many) => `${many} left out, made by constraints (${parts})`),
    noteOf('ATTACHED', of('attached'), (many) => `${many} left out, attached to the index of a partitioned table`),
    ownPartsNote(leftOut.filter((index) => !keptParts.has(index))),
    noteOf('EXTENSION', of('extension'), (many) => `${many} left out, on tables of extensions`),
    noteOf('INVALID', of('invalid'), (many) => `${many} left out, not valid: no query uses it, every write pays`),
  ].flatMap((note) => (note.indexes.length === 0 ? [] : [note]))
}

/** Of partitioned indexes that are not imported. */
function ownPartsNote(leftOut: readonly LeftOutIndex[]): ImportNote {
  const indexes = leftOut.filter(hasOwn).map(({ schema, name }) => `${schema}.${name}`)
  const message =
    'indexes of partitions have storage parameters, comments or statistics targets of their own, which are not kept'
  return { code: 'OTHER_STORAGE', message, indexes }
}

/** Whether an attached index has something that the index of the partitioned table has not. */
export function hasOwn({ own }: LeftOutIndex): boolean {
  return own !== null && (own.storage !== null || own.comment !== null || own.statistics !== null)
}

/** A note as one line: some names, then how many more there are. */
export function noteText({ message, indexes }: ImportNote): string {
  const shown = indexes.length > mostShown + 1 ? indexes.slice(0, mostShown) : indexes
  const more = indexes.length - shown.length
  const names = [...shown, ...(more === 0 ? [] : [`and ${more} more`])].join(', ')
  // A name may hold a line break, which would end a comment.
  return `${message}${names === '' ? '' : `: ${names}`}`.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}

const mostShown = 5

function noteOf(
  code: ImportNote['code'],
  indexes: readonly LeftOutIndex[],
  message: (many: string) => string,
): ImportNote {
  const many = indexes.length === 1 ? '1 index' : `${indexes.length} indexes`
  return { code, message: message(many), indexes: indexes.map(({ schema, name }) => `${schema}.${name}`) }
}
