import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { build } from './cli/perfdb.js'

const run = promisify(execFile)

beforeAll(build)

test('docs/commands.md and docs/troubleshooting.md are what the command line says', async () => {
  const script = join(import.meta.dirname, 'support', 'readme.js')
  const said = await run(process.execPath, [script, '--check']).then(
    ({ stderr }) => stderr,
    (error: unknown) => String(Reflect.get(Object(error), 'stderr')),
  )
  expect(said).toBe('')
})
