import type postgres from 'postgres'
import { demoSchema, demoStatements } from '../../src/commands/start/demo-data.js'
import { quoteLiteral } from '../../src/definition/quote.js'
import type { ParameterSet, Profile, Query } from '../../src/profile/profile.js'
import { readProfiles } from '../../src/profile/read/read.js'

/** A profile of the folder profiles/. */
export async function readyProfile(name: string): Promise<Profile> {
  const [profile] = await readProfiles([`profiles/${name}.yaml`], { cwd: process.cwd(), environment: {} })
  if (profile === undefined) throw new Error(`no profile ${name}`)
  return profile
}

/** Schema and rows of the job shop; `checked` leaves the foreign keys on while loading. */
export async function loadDemo(sql: postgres.Sql, scale: number, { checked = false, timezone = 'UTC' } = {}): Promise<void> {
  const session = await sql.reserve()
  await session.unsafe(`set timezone = '${timezone}'`)
  await session.unsafe(await demoSchema())
  for (const statement of demoStatements(scale)) {
    if (checked && statement.label.startsWith('foreign keys')) continue
    // With parameters, even none, postgres.js takes the extended protocol, which refuses two statements in one text.
    await session.unsafe(statement.sql, [], { prepare: true })
  }
  await session.unsafe('reset timezone')
  session.release()
}

/** Each statement of a query with each of its parameter sets, the values in place: `name set` and the SQL. */
export function filledStatements(query: Query): readonly { readonly name: string; readonly sql: string }[] {
  const texts = query.sql === undefined ? query.variants.flatMap((variant) => variant.statements) : [query.sql]
  const sets: readonly ParameterSet[] = query.parameters.length > 0 ? query.parameters : [{ name: 'none', values: [] }]
  return sets.flatMap((set) => texts.map((text) => ({ name: `${query.name} ${set.name}`, sql: filled(text, set.values) })))
}

function filled(text: string, values: readonly (string | null)[]): string {
  return text.replaceAll(/\$(\d+)/g, (_, position: string) => {
    const value = values[Number(position) - 1]
    if (value === undefined) throw new Error(`no value for $${position} of: ${text}`)
    return value === null ? 'null' : quoteLiteral(value)
  })
}
