import { execFile } from 'node:child_process'
import {
  chmod,
  chown,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

/*
 * Whether kept code ran is seen by the help's first line: after the first run the module that holds it is changed, length and time as they were. Kept
 * code still says the old words, and a run that refuses it the new ones.
 */
const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const [old, fresh] = ['Proves that each declared', 'PROVES THAT EACH DECLARED']
const isRoot = process.getuid?.() === 0

let made: string
let bin: string
let home: string
let round = 0

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  bin = join(made, 'package/bin/perfdb.js')
  await mkdir(join(made, 'package/dist'), { recursive: true })
  await cp(join(root, 'bin'), join(made, 'package/bin'), { recursive: true })
  await copyFile(join(root, 'package.json'), join(made, 'package/package.json'))
  for (const name of await readdir(join(root, 'dist')))
    if (name.endsWith('.cjs')) await copyFile(join(root, 'dist', name), join(made, 'package/dist', name))
  await changeModules((text) => text)
  await mkdir(join(made, 'first'))
  await help({ HOME: join(made, 'first') })
  await changeModules((text) => text.replaceAll(old, fresh))
})

afterAll(() => rm(made, { recursive: true }))

/** Each test has the kept code of the first run in a home of its own. */
beforeEach(async () => {
  round += 1
  home = join(made, `home-${round}`)
  await cp(join(made, 'first'), home, { recursive: true, preserveTimestamps: true })
})

test('the first run keeps code for its user alone, and the next one runs it', async () => {
  const [name, ...others] = await readdir(codeFolder())
  expect(others).toEqual([])
  for (const folder of ['.cache', '.cache/perfdb', '.cache/perfdb/code'])
    expect(await modeOf(join(home, folder))).toBe(0o700)
  expect(await modeOf(join(codeFolder(), name ?? ''))).toBe(0o600)
  expect(await help()).toContain(old)
})

test('a run of another command adds to it, and keeps what was there', async () => {
  const before = (await stat(await file())).size
  await perfdb({ HOME: home }, 'compare')
  expect((await stat(await file())).size).toBeGreaterThan(before)
  expect(await help()).toContain(old)
  const full = await readFile(await file())
  await perfdb({ HOME: home }, 'compare')
  expect(await readFile(await file())).toEqual(full)
})

describe('kept code is not run', () => {
  const refusals: Readonly<Record<string, () => Promise<unknown>>> = {
    'where its file may be written by a group': async () => chmod(await file(), 0o620),
    'where its file may be read by others': async () => chmod(await file(), 0o604),
    'where its folder is open to others': () => chmod(codeFolder(), 0o755),
    'where a folder above may be written by a group': () => chmod(join(home, '.cache'), 0o770),
    'where everybody may write to the home folder': () => chmod(home, 0o777),
    'through a link to its file': async () => {
      const name = await file()
      await rename(name, join(home, 'elsewhere'))
      await symlink(join(home, 'elsewhere'), name)
    },
    'through a link to its folder': async () => {
      await rename(codeFolder(), join(home, 'elsewhere'))
      await symlink(join(home, 'elsewhere'), codeFolder())
    },
    'through a link above its folder': async () => {
      await rename(join(home, '.cache'), join(home, 'elsewhere'))
      await symlink(join(home, 'elsewhere'), join(home, '.cache'))
    },
    'where its file is short': async () => truncate(await file(), (await stat(await file())).size >> 2),
    'where its file is empty': async () => truncate(await file(), 0),
    'where its list is damaged': () => flip(40),
    'where the list is longer than the file': () => flip(7),
    'where the code is damaged': async () => flip((await stat(await file())).size >> 1, 1000),
    'of another build': async () => rename(await file(), (await file()).replace(/[^/]{16}(-v)/, '0123456789abcdef$1')),
    'of another version of Node': async () => rename(await file(), (await file()).replace(/-v\d+/, '-v19')),
  }
  test.each(Object.entries(refusals))('%s', async (_, spoil) => {
    await spoil()
    expect(await help()).toContain(fresh)
  })

  test.runIf(isRoot).each([
    ['file', file],
    ['folder', async () => codeFolder()],
    ['home', async () => home],
  ])('where its %s belongs to somebody else', async (_, path) => {
    await chown(await path(), 65_534, 65_534)
    const before = await readdir(codeFolder())
    expect(await help()).toContain(fresh)
    expect(await readdir(codeFolder())).toEqual(before)
  })

  test('of a module whose file was changed since', async () => {
    for (const path of await moduleFiles()) await utimes(path, new Date(), new Date())
    expect(await help()).toContain(fresh)
    await changeModules((text) => text)
  })

  test('where PERFDB_CODE_CACHE=0 says so, and none is kept', async () => {
    expect(await help({ HOME: home, PERFDB_CODE_CACHE: '0' })).toContain(fresh)
    await rm(join(home, '.cache'), { recursive: true })
    await help({ HOME: home, PERFDB_CODE_CACHE: '0' })
    expect(await readdir(home)).toEqual([])
  })
})

test('V8 refuses what it made under other flags; it is replaced', async () => {
  const own = await file()
  const foreign = await readFile(own)
  await help({ HOME: home }, ['--stack-size=900'])
  const names = (await readdir(codeFolder())).map((name) => join(codeFolder(), name))
  const [other = ''] = names.filter((name) => name !== own)
  expect(names).toHaveLength(2)
  await writeFile(other, foreign)
  expect(await help({ HOME: home }, ['--stack-size=900'])).toContain(fresh)
  expect(await readFile(other)).not.toEqual(foreign)
})

test('what is not whole is replaced in the same run', async () => {
  await truncate(await file(), 100)
  await help()
  expect((await stat(await file())).size).toBeGreaterThan(10_000)
})

test('files of old builds go, and what a killed run left', async () => {
  for (const number of [1, 2, 3, 4, 5, 6, 7]) await writeFile(join(codeFolder(), `old-${number}`), '', { mode: 0o600 })
  await truncate(await file(), 100)
  await help()
  expect(await readdir(codeFolder())).toHaveLength(6)
  expect((await stat(await file())).size).toBeGreaterThan(10_000)
})

test.each([
  ['no HOME', {}],
  ['a HOME that cannot be written', { HOME: '/proc/self' }],
  ['a HOME that is no folder', { HOME: '/dev/null' }],
  ['a HOME that is not there', { HOME: '/nowhere' }],
  ['a cache folder by a relative path', { HOME: '/nowhere', XDG_CACHE_HOME: 'cache' }],
])('with %s help is printed and nothing is kept', async (_, environment) => {
  expect(await help(environment)).toContain(fresh)
  expect(await readdir(home)).toEqual(['.cache'])
})

test('XDG_CACHE_HOME is where it is kept', async () => {
  await help({ HOME: '/nowhere', XDG_CACHE_HOME: home })
  expect(await readdir(join(home, 'perfdb/code'))).toHaveLength(1)
})

/** What help prints; anything on stderr fails. */
async function help(environment: Readonly<Record<string, string>> = { HOME: home }, flags: readonly string[] = []) {
  const { stdout, stderr } = await run(process.execPath, [...flags, bin, '--help'], at(environment))
  expect(stderr).toBe('')
  return stdout
}

/** A command that ends with an error, whatever it says. */
async function perfdb(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  await expect(run(process.execPath, [bin, ...args], at(environment))).rejects.toMatchObject({ code: 2 })
}

function at(environment: Readonly<Record<string, string>>) {
  return { cwd: home, env: { PATH: process.env['PATH'], ...environment } }
}

const codeFolder = () => join(home, '.cache/perfdb/code')

async function file(): Promise<string> {
  const [name = ''] = await readdir(codeFolder())
  return join(codeFolder(), name)
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

/** Turns the bits of some bytes. */
async function flip(from: number, count = 1): Promise<void> {
  const bytes = await readFile(await file())
  await writeFile(await file(), bytes.fill(~(bytes[from] ?? 0), from, from + count))
}

/** The modules with other text, as if they had never been touched. */
async function changeModules(change: (text: string) => string): Promise<void> {
  for (const path of await moduleFiles()) {
    await writeFile(path, change(await readFile(path, 'utf8')))
    await utimes(path, 1, 1)
  }
}

async function moduleFiles(): Promise<readonly string[]> {
  const folder = join(made, 'package/dist')
  return (await readdir(folder)).map((name) => join(folder, name))
}
