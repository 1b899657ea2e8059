import { readFileSync, statSync } from 'node:fs'

/** What an entry is looked up by. `hosts` are the names the server goes by: a socket folder is also `localhost`. */
export interface PasswordKey {
  readonly hosts: readonly string[]
  readonly port: number
  readonly database: string
  readonly user: string
}

/** The entries of a password file; the passwords stay in the closure of `passwordFor`. */
export interface PasswordFile {
  passwordFor(key: PasswordKey): string | undefined
  /** Why the file was not used, as libpq warns; null when it was, or when there is none. */
  readonly warning: string | null
}

/**
 * Reads a password file (manual: "The Password File"): `host:port:database:user:password`, * for any, backslash before
 * : and \. A missing file has no entries; a file that others may read is not used, as in libpq.
 */
export function readPasswordFile(path: string): PasswordFile {
  const found = orUndefined(() => statSync(path))
  if (found === undefined) return noPasswords(null)
  if (!found.isFile()) return noPasswords(`password file ${path} is not a plain file`)
  // Windows keeps it in %APPDATA%, which only its owner can enter; modes mean nothing there.
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    return noPasswords(`password file ${path} has group or world access; permissions should be u=rw (0600) or less`)
  }
  const text = orUndefined(() => readFileSync(path, 'utf8'))
  if (text === undefined) return noPasswords(`password file ${path} cannot be read`)
  return { passwordFor: (key) => passwordOf(text, key), warning: null }
}

/** The password of the first line that matches; undefined when none does. */
export function passwordOf(text: string, key: PasswordKey): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const [host, port, database, user, ...password] = fields(line)
    const matches =
      (host === '*' || key.hosts.some((name) => name === unescape(host))) &&
      (port === '*' || unescape(port) === String(key.port)) &&
      (database === '*' || unescape(database) === key.database) &&
      (user === '*' || unescape(user) === key.user)
    if (matches && password.length > 0) return unescape(password[0])
  }
  return undefined
}

/** Splits at colons that no backslash guards; escapes stay, because an escaped \* is no wildcard. */
function fields(line: string): readonly string[] {
  return line.replace(/\\.|:/gsu, (found) => (found === ':' ? '\0' : found)).split('\0')
}

function unescape(field: string | undefined): string | undefined {
  return field?.replace(/\\(.)/gsu, '$1')
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

function noPasswords(warning: string | null): PasswordFile {
  return { passwordFor: () => undefined, warning }
}
