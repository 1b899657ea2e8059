import { PerfdbError, type Place } from '../errors.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * An environment in which the variables of `url`, `url_template` and `admin_url` stand for themselves, so that a file can be read without them and no
 * secret gets into the model; `resolveUrl` puts them in when a connection is made. A variable that other keys use too is left as it is.
 */
export function withoutUrlVariables(text: string, environment: Environment): Environment {
  const urls = [...text.matchAll(urlValue)].map((match) => match[1] ?? '')
  const inUrls = new Set(urls.flatMap(variables))
  const rest = urls.reduce((left, url) => left.replace(url, ''), text)
  const elsewhere = new Set(variables(rest.replace(/#.*/g, '')))
  const own = [...inUrls].filter((name) => !elsewhere.has(name))
  return { ...environment, ...Object.fromEntries(own.map((name) => [name, `\${${name}}`])) }
}

/** What stands after such a key: the rest of the line, a list in brackets, or the lines of a list below it. */
const urlValue = /\b(?:admin_)?url(?:_template)?["']?[ \t]*:[ \t]*((?:#.*)?(?:\r?\n[ \t]*-[ \t].*)+|\[[^\]]*\]|.*)/g

/**
 * The url with its variables, never empty: an empty one would be taken from the environment, and might be another server. Throws
 * MISSING_ENVIRONMENT, which names the variable and never a value.
 */
export function resolveUrl(
  url: string,
  environment: Environment,
  place: Place,
  otherwise = ', or give --offline',
): string {
  const resolved = url.replace(/\$\{(\w+)\}/g, (_whole, name: string) => {
    const value = environment[name]
    if (value !== undefined) return value
    throw new PerfdbError('MISSING_ENVIRONMENT', `the environment variable ${name} is not set`, {
      hint: `set ${name}${otherwise}`,
      place,
    })
  })
  if (resolved.trim() !== '') return resolved
  const names = variables(url).join(' and ')
  throw new PerfdbError(
    'MISSING_ENVIRONMENT',
    names === '' ? 'the url is empty' : `the environment variable ${names} is empty`,
    {
      hint: names === '' ? `url: \${NAME_OF_A_VARIABLE}${otherwise}` : `set ${names}${otherwise}`,
      place,
    },
  )
}

function variables(text: string): readonly string[] {
  return [...text.matchAll(/\$\{(\w+)\}/g)].flatMap((match) => match[1] ?? [])
}
