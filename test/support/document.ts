import { expect } from 'vitest'
import { perfdbHere } from '../cli/perfdb.js'

/** What `perfdb ...parameters --format json` answers of the database at the URL, run in this process in a folder. */
export async function jsonOf(url: string, cwd: string, ...parameters: readonly string[]) {
  const environment = { PERFDB_URL: url, NO_COLOR: '1' }
  const { code, stdout, stderr } = await perfdbHere([...parameters, '--format', 'json'], { cwd, environment })
  const document: unknown = JSON.parse(stdout)
  return { code, document, stderr }
}

/** The same read by the schema of its document, which knows all that is in it; one of an error fails the test. */
export async function documentOf<Document>(
  schema: { parse(document: unknown): Document },
  ...[url, cwd, ...parameters]: Parameters<typeof jsonOf>
): Promise<Document> {
  const { document, stderr } = await jsonOf(url, cwd, ...parameters)
  expect(document, stderr).not.toHaveProperty('error')
  const result = schema.parse(document)
  expect(result).toEqual(document)
  return result
}
