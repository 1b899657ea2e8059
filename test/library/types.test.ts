import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { folder } from '../cli/perfdb.js'

const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

/*
 * The types of the library come from the JSON Schemas, those of the sources from zod: each must be assignable to the other. package.test.ts
 * uses them from outside. They are compared as `npm run build` wrote them.
 */
const documents = [
  'PlanResult',
  'VerifyResult',
  'ApplyResult',
  'ExplainResult',
  'StatusResult',
  'TenantResult',
  'FleetResult',
  'ResultQuery',
  'ResultStep',
]
const written = ['WrittenProfile', 'WrittenIndex', 'WrittenQuery']

test('the declared types are those of the sources', async () => {
  const source = (path: string) => JSON.stringify(join(root, 'src', path))
  const program = `import type * as built from ${JSON.stringify(join(root, 'dist', 'perfdb.cjs'))}
import type * as one from ${source('result/documents/result.js')}
import type * as many from ${source('result/documents/fleet-result.js')}
import type * as advise from ${source('result/documents/advise-result.js')}
import type * as pool from ${source('result/documents/pool-result.js')}
import type * as profile from ${source('profile/written/schema.js')}
import type * as pools from ${source('pools/file/schema.js')}
declare function same<A, B>(a: [A] extends [B] ? ([B] extends [A] ? true : 'an optional key is missing') : 'not the same'): void
${documents.map((name) => `same<built.${name}, ${/^Fleet|^Tenant/.test(name) ? 'many' : 'one'}.${name}>(true)`).join('\n')}
${written.map((name) => `same<built.${name}, profile.${name}>(true)`).join('\n')}
same<built.AdviseResult, advise.AdviseResult>(true)
same<built.PoolResult, pool.PoolResult>(true)
// Of a pool's driver the schema knows the names, where the sources say text.
const written = (one: built.WrittenPools): pools.WrittenPools => one
void written
`
  await using place = await folder({
    'same.ts': program,
    // That the comparison can fail at all.
    'wrong.ts': program.replace('same<built.PlanResult', 'same<built.VerifyResult'),
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { rootDir: '/', noEmit: true, typeRoots: [join(root, 'node_modules', '@types')] },
      files: ['same.ts', 'wrong.ts'],
    }),
  })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const output = await run(process.execPath, [tsc, '-p', place.path], { cwd: place.path }).then(
    () => '',
    (error: unknown) => String(Object(error).stdout),
  )
  expect(output.split('\n').filter((line) => line !== '' && !line.startsWith(' '))).toEqual([
    expect.stringMatching(/^wrong\.ts\(9,.*TS2345/),
  ])
}, 120_000)
