import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runInit } from '../../src/commands/start/init.js'
import { folder } from '../cli/perfdb.js'
import { languageServer, type LanguageServer } from './language-server.js'

/* What an editor shows: the real YAML language server, led to the published schemas by the first line of each file. */

const profiles = join(import.meta.dirname, '../../profiles')
let server: LanguageServer

beforeAll(async () => {
  server = await languageServer()
})
afterAll(async () => server[Symbol.asyncDispose]())

/** A file beside the published schemas, not written. */
function beside(schema: string, text: string): readonly [string, string] {
  return [join(profiles, 'not-written.yaml'), `# yaml-language-server: $schema=./${schema}.schema.json\n${text}`]
}

describe('diagnostics', () => {
  test('none for any ready profile and pool config', async () => {
    const files = (await readdir(profiles)).filter((file) => file.endsWith('.yaml'))
    expect(files.length).toBeGreaterThan(5)
    for (const file of files) {
      const path = join(profiles, file)
      const text = await readFile(path, 'utf8')
      expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/\w+\.schema\.json/)
      expect([file, await server.diagnose(path, text)]).toEqual([file, []])
    }
  })

  test('none for what init writes, and its schema lines lead to schemas', async () => {
    await using home = await folder()
    const { files } = await runInit(home.path)
    const written = files.filter((file) => file.endsWith('.yaml'))
    expect(written).toHaveLength(3)
    for (const file of written) {
      const path = join(home.path, file)
      const text = await readFile(path, 'utf8')
      expect([file, await server.diagnose(path, text)]).toEqual([file, []])
      expect(await server.diagnose(path, text.replace('version: 1', 'vresion: 1'))).toContainEqual(
        expect.stringContaining('vresion'),
      )
    }
  })

  test.each([
    ['profile', 'version: 1\nindexes:\n  - name: i\n    table: t\n    kyes: [a]\n', 'kyes'],
    ['profile', 'version: 1\nqueries:\n  - { name: q, sql: select 1, expect: { forbid: [SEQSCAN] } }\n', 'SEQ_SCAN'],
    ['pools', 'version: 1\nkind: pools\nservices:\n  web:\n    server: main\n    pool: { maximum: 4 }\n', 'maximum'],
    ['pools', 'version: 1\nservers:\n  main: { max_connections: many }\n', 'integer'],
    ['config', 'version: 1\nmax_wiat: 5min\n', 'max_wiat'],
    ['config', 'version: 1\nenvironments:\n  production:\n    jbos: 2\n', 'jbos'],
    ['config', 'version: 1\nmax_wait: 5 minutes\n', 'pattern'],
    ['config', 'version: 1\nallow: [DROPP]\n', 'REPLACE'],
  ])('%s: a mistake is told', async (schema, text, said) => {
    expect(await server.diagnose(...beside(schema, text))).toContainEqual(expect.stringContaining(said))
  })
})

describe('completion', () => {
  test.each([
    ['profile', 'version: 1\n|', ['indexes', 'queries', 'absent', 'extensions']],
    ['profile', 'version: 1\nindexes:\n  - name: i\n    |', ['keys', 'where', 'include', 'unique', 'method']],
    [
      'profile',
      'version: 1\nindexes:\n  - name: i\n    keys:\n      - column: a\n        |',
      ['order', 'nulls', 'opclass'],
    ],
    ['profile', 'version: 1\nqueries:\n  - name: q\n    expect:\n      |', ['uses', 'speedup', 'buffers', 'forbid']],
    ['pools', 'version: 1\nservers:\n  main:\n    |', ['max_connections', 'url', 'provider']],
    ['pools', 'version: 1\nservices:\n  web:\n    pool:\n      |', ['max', 'max_overflow', 'per_tenant']],
    ['pools', 'version: 1\ntenants:\n  - |', ['id', 'ids_from', 'registry']],
    ['config', 'version: 1\n|', ['profiles', 'environments', 'max_wait']],
    ['config', 'version: 1\nenvironments:\n  production:\n    |', ['url', 'window', 'allow']],
  ])('%s: %j offers keys, each with a word about it', async (schema, text, keys) => {
    const offered = await server.complete(...beside(schema, text))
    expect([...offered.keys()]).toEqual(expect.arrayContaining(keys))
    expect(keys.filter((key) => (offered.get(key) ?? '') === '')).toEqual([])
  })

  test.each([
    ['profile', 'version: 1\nqueries:\n  - name: q\n    expect:\n      forbid:\n        - |', ['SEQ_SCAN', 'SPILL']],
    ['pools', 'version: 1\nservices:\n  web:\n    runtime:\n      kind: |', ['gunicorn', 'node', 'serverless']],
    ['config', 'version: 1\non_queue: |', ['report', 'cancel-build', 'cancel-waiter']],
  ])('%s: %j offers values', async (schema, text, values) => {
    expect([...(await server.complete(...beside(schema, text))).keys()]).toEqual(expect.arrayContaining(values))
  })
})
