import type { ConfigSetting } from '../result/documents/config-result.js'
import type { Config } from './config.js'

/** A setting of the file, undefined where the file says nothing. */
export function fileSetting(key: string, { given }: Config): ConfigSetting | undefined {
  const found = given.get(key)
  if (found === undefined) return undefined
  const { written, place, section } = found
  return {
    key,
    value: shown(written),
    ...(section === null ? { source: 'file' } : { source: 'environment', environment: section }),
    place: { ...place },
  }
}

/** A value of the file or a default as a document holds it. */
export function shown(value: unknown): ConfigSetting['value'] {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
}
