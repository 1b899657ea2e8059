import { PerfdbError } from '../../errors.js'
import { isParameterName, unknownParameter, type ParameterName, type Parameters } from './parameters.js'

/**
 * The parameters of one service of the connection service files (manual: "The Connection Service File"); the first file
 * that defines it counts. Throws BAD_URL when none does, and UNKNOWN_URL_PARAMETER.
 */
export async function serviceParameters(service: string, files: readonly string[]): Promise<Parameters> {
  const { readFile } = await import('node:fs/promises')
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    const found = text === undefined ? undefined : parseServiceFile(text, service, file)
    if (found !== undefined) return found
  }
  throw new PerfdbError('BAD_URL', `the service ${service} is not defined`, { detail: `looked in ${files.join(', ')}` })
}

/** undefined when the file has no such section. */
export function parseServiceFile(text: string, service: string, file: string): Parameters | undefined {
  let found: Map<ParameterName, string> | undefined
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const section = /^\[(.*)\]$/.exec(line)?.[1]
    if (section !== undefined) {
      if (found !== undefined) return found
      if (section === service) found = new Map()
      continue
    }
    if (found === undefined) continue
    const equals = line.indexOf('=')
    if (equals < 1) throw new PerfdbError('BAD_URL', `${file}: a line of the service ${service} is not name=value`)
    const name = line.slice(0, equals).trim()
    if (!isParameterName(name)) throw unknownParameter(name, file)
    if (name === 'service' || name === 'servicefile') {
      throw new PerfdbError('BAD_URL', `${file}: the service ${service} names another service`)
    }
    if (!found.has(name)) found.set(name, line.slice(equals + 1).trim())
  }
  return found
}
