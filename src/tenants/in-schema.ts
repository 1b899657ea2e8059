import type { TableName } from '../definition/definition.js'
import type { Profile } from '../profile/profile.js'

/** Stands for the schema of a tenant in profiles that are read once for all: no schema can be called so (a NUL ends a name). */
export const anySchema = 'tenant\0'

/** A profile that was read with `anySchema`, for one tenant. */
export function profileIn(schema: string, profile: Profile): Profile {
  const named = (name: string) => (name === anySchema ? schema : name)
  const table = (one: TableName): TableName => ({ ...one, schema: named(one.schema) })
  return {
    ...profile,
    schema: named(profile.schema),
    indexes: profile.indexes.map(({ definition, ...index }) => ({
      ...index,
      definition: {
        ...definition,
        table: table(definition.table),
        ...(definition.partitions && {
          partitions: definition.partitions.map((part) => ({ ...part, table: table(part.table) })),
        }),
      },
    })),
    absent: profile.absent.map((one) => ({ ...one, schema: named(one.schema) })),
    analyze: profile.analyze.map((one) => ({ ...one, table: table(one.table) })),
  }
}
