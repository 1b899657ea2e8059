import type { Query } from '../../src/profile/profile.js'

/** A query of a profile with what a test says of it. */
export function aQuery(sql: string, more: Partial<Query> = {}): Query {
  return {
    name: 'q',
    sql,
    parameters: [],
    variants: [],
    expect: {},
    place: { file: 'p.yaml', line: 3, column: 5 },
    ...more,
  }
}

/** One parameter set for each member. */
export function sets(values: Readonly<Record<string, readonly (string | null)[]>>): Query['parameters'] {
  return Object.entries(values).map(([name, list]) => ({ name, values: list }))
}
