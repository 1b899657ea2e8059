import { maxNameBytes } from '../../definition/quote.js'

/** Name under which a replacement is built; fixed, so that an interrupted replace is found and finished by the next run. */
export function newNameFor(name: string): string {
  return withSuffix(name, freshSuffix)
}

/** Name that the replaced index bears until it is dropped. */
export function oldNameFor(name: string): string {
  return withSuffix(name, oldSuffix)
}

/** A name that only perfdb's own replacing gives, and takes away again. */
export function isTemporaryName(name: string): boolean {
  return name.endsWith(freshSuffix) || name.endsWith(oldSuffix)
}

/** What PostgreSQL put behind a name for a copy of REINDEX CONCURRENTLY; undefined for every other name. */
export function copySuffix(name: string): string | undefined {
  return /_cc(?:new|old)\d*$/.exec(name)?.[0]
}

const freshSuffix = '_perfdb_new'
const oldSuffix = '_perfdb_old'

/** Cut so that it holds 63 bytes; by whole characters, as PostgreSQL cuts. */
export function withSuffix(name: string, suffix: string): string {
  let kept = name
  while (Buffer.byteLength(kept + suffix, 'utf8') > maxNameBytes) kept = Array.from(kept).slice(0, -1).join('')
  return kept + suffix
}
