import { parseDocument } from 'yaml'

/** The value of a YAML text that is nobody's configuration, such as EXPLAIN (FORMAT YAML): no schema, no environment. Throws nothing. */
export function readPlainYaml(
  text: string,
): { readonly value: unknown } | { readonly problem: string; readonly line: number } {
  const document = parseDocument(text)
  const [first] = document.errors
  if (first === undefined) return { value: document.toJS({ maxAliasCount: 0 }) }
  return { problem: first.message.split('\n')[0] ?? '', line: first.linePos?.[0].line ?? 1 }
}
