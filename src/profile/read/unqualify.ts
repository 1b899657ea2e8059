import type { Definition } from '../../definition/definition.js'
import type { Profile } from '../profile.js'

/** The profile with the columns of its expressions and predicates by their names alone: an index knows one table only. */
export async function unqualifiedProfile(profile: Profile): Promise<Profile> {
  if (!profile.indexes.some(({ definition }) => texts(definition).some((text) => text.includes('.')))) return profile
  return {
    ...profile,
    indexes: await Promise.all(
      profile.indexes.map(async (index) => ({ ...index, definition: await unqualified(index.definition) })),
    ),
  }
}

async function unqualified(definition: Definition): Promise<Definition> {
  if (!texts(definition).some((text) => text.includes('.'))) return definition
  // The parser is a WebAssembly of 2 MB: loaded only when there is something to parse.
  const { unqualifiedSql } = await import('../../sql/parser/column-references.js')
  const { keys, predicate, table } = definition
  return {
    ...definition,
    keys: await Promise.all(
      keys.map(async (key) =>
        key.expression === undefined ? key : { ...key, expression: await unqualifiedSql(key.expression, table) },
      ),
    ),
    ...(predicate === undefined ? {} : { predicate: await unqualifiedSql(predicate, table) }),
  }
}

function texts({ keys, predicate }: Definition): readonly string[] {
  return [...keys.flatMap(({ expression }) => expression ?? []), ...(predicate === undefined ? [] : [predicate])]
}
