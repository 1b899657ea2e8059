import { createHash } from 'node:crypto'
import type { Step } from '../plan.js'

/** SHA-256 over everything that a plan rests on: the extensions to create, declared definitions, statements, and the existing indexes with their flags. */
export function fingerprint(steps: readonly Step[], extensions: readonly string[]): string {
  const hash = createHash('sha256')
  if (extensions.length > 0) hash.update(JSON.stringify({ extensions }))
  for (const { step, schema, index, table, statements, canonical, existing } of steps) {
    const flags =
      existing === null
        ? null
        : [existing.oid, existing.name, existing.valid, existing.ready, existing.live, existing.canonical]
    hash.update(
      JSON.stringify([step, schema, index, table, statements.map((statement) => statement.sql), canonical, flags]),
    )
  }
  return hash.digest('hex')
}
