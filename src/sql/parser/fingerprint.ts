import { loadParser } from './parser-tokens.js'

/**
 * What a statement is but for its constants, parameters and lists of them: 16 hexadecimal digits, a hash of its parse tree by libpg_query, from which nothing can be read back.
 * null for what does not parse.
 */
export async function fingerprintOf(text: string): Promise<string | null> {
  const parser = await loadParser()
  // To the parser, written in C, the text would end at a NUL. What it refuses has no fingerprint, for whatever reason.
  return text.includes('\0') ? null : parser.fingerprint(text).catch(() => null)
}
