import { readFileSync } from 'node:fs'

/** perfdb's version, from its package.json, which stands above the sources and above the built files. */
export function perfdbVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    const parsed: { readonly name?: string; readonly version?: string } = readPackage(new URL(up, import.meta.url))
    if (parsed.name === 'perfdb' && parsed.version !== undefined) return parsed.version
  }
  return 'unknown'
}

function readPackage(url: URL): { readonly name?: string; readonly version?: string } {
  try {
    const parsed: { readonly name?: string; readonly version?: string } = JSON.parse(readFileSync(url, 'utf8'))
    return parsed
  } catch {
    return {}
  }
}
