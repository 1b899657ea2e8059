/** What a template asks of a row: `{column}`, which no `${NAME}` is. */
const placeholder = /(?<!\$)\{(\w+)\}/g

/** A host, with or without a port, or a port alone: what may stand where a url names its server. */
const hostPattern = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i

/** Names of the columns that a template asks for, each once. */
export function columnsOf(template: string): readonly string[] {
  return [...new Set([...template.matchAll(placeholder)].flatMap((match) => match[1] ?? []))]
}

/** Whether a row says who logs in, or with which password. */
export function takesCredentials(template: string): boolean {
  const own = template.replace(/\$\{\w+\}/g, '')
  return /\{\w+\}.*@|[?&][^=&]*(password|secret)[^=&]*=[^&]*\{\w+\}/is.test(own)
}

/**
 * A url from a template such as `postgres://app:${PASSWORD}@{host}/{database}` and a row. What the row says is percent-encoded, so that
 * it ends neither the name of the host nor that of the database and asks for no variable; a cell that is empty, and a host that is none, is told instead.
 */
export function filledUrl(
  template: string,
  cell: (column: string) => string | null,
): { readonly url: string } | { readonly empty: string } | { readonly noHost: string } {
  const columns = columnsOf(template)
  const empty = columns.find((column) => cell(column) === null)
  if (empty !== undefined) return { empty }
  let noHost: string | undefined
  const url = template.replace(placeholder, (_, column: string, at: number) => {
    const value = cell(column) ?? ''
    if (!isServerPart(template, at)) return encodeURIComponent(value)
    if (!hostPattern.test(value)) noHost ??= column
    return value
  })
  return noHost === undefined ? { url } : { noHost }
}

/** Between the credentials and the first / or ? behind them. */
function isServerPart(template: string, at: number): boolean {
  const rest = template.slice(at)
  const end = rest.search(/[/?]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  return /^\w+:\/\/([^/?@]*@)?[^/?@]*$/.test(template.slice(0, at)) && !authority.includes('@')
}
