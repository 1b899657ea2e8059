/** Scheme, role, password, hosts, database. A password may hold an @ that nobody escaped; what has one in its path has a / in its password. */
export const urlPattern =
  /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^/?]*))?@)?((?:\[[\da-f:.]+\]|[^/?@:,]*)(?::(?:\d+|\$\{\w+\}))?(?:,[^/?@]*)?)(?:\/([^?@]*))?(?:\?(?:\w+=[^&]*&?)*)?$/i

/**
 * host:port of a url as it is written, or the variable that stands for all of it, or for all but the database; null for what is no url of PostgreSQL. Never a part of
 * a password.
 */
export function addressOf(url: string): string | null {
  const [, variable] = /^(\$\{\w+\})(?:[/?][^@]*)?$/.exec(url) ?? []
  if (variable !== undefined) return variable
  const host = urlPattern.exec(url)?.[3]
  if (host === undefined) return null
  if (host === '') return 'localhost:5432'
  return /:(\d+|\$\{\w+\})$/.test(host) || host.includes(',') ? host : `${host}:5432`
}

/** The password that a url writes out; undefined where it has none, or a variable for it. */
export function literalPassword(url: string): string | undefined {
  const password = urlPattern.exec(url)?.[2]
  return password === undefined || password === '' || /^\$\{\w+\}$/.test(password) ? undefined : password
}

export function decoded(text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function partsOf(url: string): { readonly role: string | null; readonly database: string | null } {
  const [, role, , , database] = urlPattern.exec(url) ?? []
  return { role: decoded(role), database: decoded(database) }
}

/** The url with the database that is named, where one is; one that is no URL as it is. */
export function withDatabase(url: string, database: string | null): string {
  if (database === null) return url
  return url.replace(
    /^(postgres(?:ql)?:\/\/[^/?]*)(?:\/[^?]*)?/i,
    (_, before: string) => `${before}/${encodeURIComponent(database)}`,
  )
}

/** The url with `-c name=value` behind the command-line options that it names; undefined where it names none, and PGOPTIONS counts. */
export function withSessionSetting(url: string, setting: string): string | undefined {
  const options = /([?&]options=)([^&]*)/
  if (!options.test(url)) return undefined
  const added = encodeURIComponent(` ${setting}`)
  return url.replace(options, (_, name: string, given: string) => name + given + added)
}
