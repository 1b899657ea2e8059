import type { RoleSetting } from '../sums/model.js'

/**
 * What a session of a role on a database starts with, as ALTER ROLE and ALTER DATABASE ... SET leave it: the narrowest counts, that of a role
 * in a database, of a role, of a database. undefined where only the server's own value is left.
 * https://www.postgresql.org/docs/current/sql-alterrole.html
 */
export function settingFor(
  settings: readonly RoleSetting[],
  name: string,
  role: string | null,
  database: string | null,
): string | undefined {
  return settings
    .filter((one) => one.name === name)
    .filter((one) => (one.role === null || one.role === role) && (one.database === null || one.database === database))
    .toSorted((a, b) => rank(b) - rank(a))[0]?.value
}

function rank({ role, database }: Pick<RoleSetting, 'role' | 'database'>): number {
  return (role === null ? 0 : 2) + (database === null ? 0 : 1)
}
