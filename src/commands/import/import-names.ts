import type { IndexFilter } from '../../catalog/read/declared.js'

/** Globs as given on the command line; an empty list takes everything. */
export interface ImportGlobs {
  readonly schemas: readonly string[]
  readonly tables: readonly string[]
  readonly indexes: readonly string[]
}

/** The globs as regular expressions that PostgreSQL and JavaScript understand alike: `*` any text, `?` one character. */
export function filterOf({ schemas, tables, indexes }: ImportGlobs): IndexFilter {
  return { schemas: schemas.map(pattern), tables: tables.map(pattern), indexes: indexes.map(pattern) }
}

/** Whether anything was asked for by name. */
export function isFiltered({ schemas, tables, indexes }: ImportGlobs): boolean {
  return schemas.length + tables.length + indexes.length > 0
}

/** For what is not read from a server: whether an index is picked. */
export function picks(filter: IndexFilter, schema: string, table: string, index: string): boolean {
  const some = (patterns: readonly string[], ...names: readonly string[]) =>
    patterns.length === 0 || patterns.some((text) => names.some((name) => new RegExp(text, 'su').test(name)))
  return some(filter.schemas, schema) && some(filter.tables, table, `${schema}.${table}`) && some(filter.indexes, index)
}

function pattern(glob: string): string {
  return `^${glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')}$`
}
