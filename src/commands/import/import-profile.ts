import type { Definition } from '../../definition/definition.js'
import type { Profile } from '../../profile/profile.js'
import { writeProfile } from '../../profile/write.js'
import type { ImportNote } from '../../result/documents/import-result.js'
import { noteText } from './import-notes.js'

export interface Imported {
  readonly definition: Definition
  readonly why?: string
}

/** The profile of what was imported, as YAML; where it comes from and what was left out stand in its first lines. */
export function importedProfile(
  name: string,
  source: string,
  indexes: readonly Imported[],
  notes: readonly ImportNote[],
  more: Partial<Pick<Profile, 'extensions' | 'analyze'>> & { readonly schemaFile?: string | undefined } = {},
): string {
  const place = { file: '', line: 1, column: 1 }
  const profile: Profile = {
    name,
    file: '',
    schema: commonSchema(indexes),
    indexes: indexes.map(({ definition, why }) => ({
      definition,
      for: [],
      ...(why === undefined ? {} : { why }),
      place,
    })),
    absent: [],
    extensions: more.extensions ?? [],
    analyze: more.analyze ?? [],
    queries: [],
  }
  const comment = [`Imported from ${source}.`, ...notes.map(noteText)].join('\n')
  const { schemaFile } = more
  return writeProfile(profile, { comment, ...(schemaFile === undefined ? {} : { schemaFile }) })
}

/** The schema that most indexes lie in, of several the first, so that most tables need no schema in front. */
function commonSchema(indexes: readonly Imported[]): string {
  const counts = new Map<string, number>()
  for (const { definition } of indexes) {
    const { schema } = definition.table
    counts.set(schema, (counts.get(schema) ?? 0) + 1)
  }
  const most = Math.max(0, ...counts.values())
  return [...counts].find(([, count]) => count === most)?.[0] ?? 'public'
}
