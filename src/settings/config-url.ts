import type { ConfigSetting } from '../result/documents/config-result.js'
import { PerfdbError } from '../errors.js'
import { fileSetting } from './config-setting.js'
import type { Config } from './config.js'
import type { Invocation } from './invocation.js'

/** The url in force, by the order of databaseUrl, without its password; where only PG* variables say it, their names. */
export async function urlSetting({ options, environment }: Invocation, config: Config): Promise<ConfigSetting> {
  const { databaseUrl } = await import('../server/target/target.js')
  const found = databaseUrl({ url: options.url, configured: config.url, environment })
  if (found === undefined) return withoutUrl(environment)
  if (found.origin === '--url') return { key: 'url', source: 'flag', name: '--url', ...(await shownUrl(found.text)) }
  const given = found.origin === 'perfdb.yaml' ? fileSetting('url', config) : undefined
  if (given === undefined)
    return { key: 'url', source: 'variable', name: found.origin, ...(await shownUrl(found.text)) }
  const { urlProblem } = config
  const note = urlProblem === undefined ? {} : { note: urlProblem.message }
  return { ...given, ...(await shownUrl(String(given.value))), ...note }
}

function withoutUrl(environment: Invocation['environment']): ConfigSetting {
  const names = naming.filter((name) => (environment[name] ?? '') !== '')
  return names.length > 0
    ? { key: 'url', value: null, source: 'variable', name: names.join(', ') }
    : { key: 'url', value: null, source: 'default', note: 'no database is named' }
}

/** Those of which resolveTarget wants one. */
const naming = ['PGSERVICE', 'PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGDATABASE', 'PGUSER']

/** A URL or keyword=value pairs with *** for what is secret; what cannot be read is not shown at all. */
export async function shownUrl(text: string): Promise<Pick<ConfigSetting, 'value' | 'note'>> {
  if (text === 'embedded' || /^\$\{\w+\}$/.test(text)) return { value: text }
  const { parseConnectionString } = await import('../server/target/conninfo.js')
  try {
    const parameters = parseConnectionString(text, 'url')
    if (!/^\s*[a-z]+:\/\//i.test(text))
      return { value: [...parameters].map(([name, value]) => `${name}=${masked(name, value)}`).join(' ') }
    // Where the credentials of a URL that can be read end: the first @ before the first / or ?.
    const [, before = '', password, rest = ''] = /^([^:]+:\/\/[^:@/?]*)(?::([^@/?]*)@)?(.*)$/s.exec(text.trim()) ?? []
    const start = password === undefined ? before : `${before}:${masked('password', password)}@`
    return { value: start + rest.replace(/([?&])([^=&]*)=([^&]*)/g, maskedPair) }
  } catch (error) {
    return { value: null, note: error instanceof PerfdbError ? error.message : 'it cannot be read' }
  }
}

function maskedPair(_: string, joint: string, name: string, value: string): string {
  return `${joint}${name}=${masked(decodeURIComponent(name), value)}`
}

function masked(name: string, value: string): string {
  return !/password|secret|token/i.test(name) || /^\$\{\w+\}$/.test(value) ? value : '***'
}
