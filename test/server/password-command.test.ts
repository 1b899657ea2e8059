import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandWords } from '../../src/server/target/password-command.js'
import { testDatabase } from '../support/database.js'
import { testRole } from '../support/roles.js'
import { build, folder, perfdb } from '../cli/perfdb.js'

/** Counts its calls, and says the password of the role that is asked for: nothing that a shell would have to expand. */
const program = `#!/usr/bin/env node
require('node:fs').appendFileSync(process.env.CALLS, process.env.PGUSER + '@' + process.env.PGDATABASE + ' ' + process.argv.slice(2).join('|') + '\\n')
console.error('a token of a cloud on stderr: s3cret-token')
console.log(process.argv[2] === 'wrong' ? 'not-the-s3cret' : process.env.TOKEN)
if (process.argv[2] === 'fails') process.exit(7)
`

test('the password command is run without a shell for each connection, and its output is shown nowhere', async () => {
  await using db = await testDatabase('create table t (id int)')
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  const url = new URL(role.url)
  const token = url.password
  url.password = ''
  await build()
  await using home = await folder({
    token: program,
    'perfdb.yaml': "version: 1\npassword_command: [./token, '$(touch pwned); `id`', a b]\n",
    'my.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, keys: [id] }\n',
  })
  await chmod(join(home.path, 'token'), 0o755)
  const environment = { DATABASE_URL: url.href, TOKEN: token, CALLS: join(home.path, 'calls'), PGPASSWORD: 'stale' }
  const applied = await perfdb(['apply', 'my.yaml', '--no-ledger', '-v'], { cwd: home.path, environment })
  expect(applied.code, applied.stderr).toBe(0)
  const { readFile, access } = await import('node:fs/promises')
  const calls = (await readFile(join(home.path, 'calls'), 'utf8')).trim().split('\n')
  expect(calls.length).toBeGreaterThan(1)
  expect(new Set(calls)).toEqual(new Set([`${role.name}@${db.name} $(touch pwned); \`id\`|a b`]))
  await expect(access(join(home.path, 'pwned'))).rejects.toThrow('ENOENT')

  const said = [applied]
  for (const [command, code, text] of [
    ['./token fails', 'PASSWORD_COMMAND', 'the password command ./token ended with exit code 7'],
    ['./token wrong', 'AUTHENTICATION_FAILED', 'authentication failed'],
    ['./nowhere', 'PASSWORD_COMMAND', 'the password command ./nowhere was not found'],
    ["./token 'open", 'BAD_OPTION', 'the password command cannot be read'],
  ] as const) {
    const ended = await perfdb(['verify', 'my.yaml', '--password-command', command], { cwd: home.path, environment })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(text)
    expect(ended.stderr).toContain(code)
    said.push(ended)
  }
  // A password in the URL goes before it.
  said.push(
    await perfdb(['verify', 'my.yaml', '--url', role.url, '--password-command', './nowhere'], {
      cwd: home.path,
      environment,
    }),
  )
  expect(said.at(-1)?.code).toBe(0)
  for (const { stdout, stderr } of said) expect(stdout + stderr).not.toMatch(new RegExp(`s3cret|${token}`))
})

test('the words of a command', async () => {
  expect(commandWords(`aws rds  "a b" --x='c d' plain"er"`)).toEqual(['aws', 'rds', 'a b', '--x=c d', 'plainer'])
  expect(commandWords('["/opt/my tool/x", "", "$(y)"]')).toEqual(['/opt/my tool/x', '', '$(y)'])
  for (const wrong of ['', ' ', '[]', '[1]', `it's`]) expect(() => commandWords(wrong)).toThrow('cannot be read')
})
