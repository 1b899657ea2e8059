import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/settings/config.js'
import { firstFiles } from '../../src/commands/start/init-files.js'
import { profileSchemaOf, runInit } from '../../src/commands/start/init.js'
import { readPools } from '../../src/pools/file/read.js'
import { readProfiles } from '../../src/profile/read/read.js'

test('init writes files that perfdb reads, with their examples uncommented too, and never writes over one', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-init-'))
  try {
    const { files } = await runInit(cwd)
    const config = await readConfig(cwd, {}, {})
    expect(config.profiles).toEqual(['perfdb/indexes.yaml'])
    expect(await readProfiles(config.profiles, { cwd, environment: {} })).toMatchObject([{ name: 'app', indexes: [] }])
    expect(await readPools(config.pools, { cwd, environment: {} })).toHaveLength(1)
    const before = await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8')))
    await expect(runInit(cwd)).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    expect(await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8')))).toEqual(before)
  } finally {
    await rm(cwd, { recursive: true })
  }
})

test('the commented example of the profile is itself a valid profile', async () => {
  const { parseProfile } = await import('../../src/profile/read/read.js')
  const text = (firstFiles('schemas').get('perfdb/indexes.yaml') ?? '')
    .replace('indexes: []', 'indexes:')
    .replace('queries: []', 'queries:')
    .replaceAll(/^# {2}/gm, '  ')
  const profile = parseProfile(text, 'indexes.yaml')
  expect(JSON.stringify(profile)).toContain('idx_orders_customer_created_at')
})

test('the schema lines lead to the installed package, from a folder of a workspace too, else to copies', async () => {
  const root = await mkdtemp(join(tmpdir(), 'perfdb-init-'))
  try {
    const installed = join(root, 'node_modules', 'perfdb')
    await mkdir(installed, { recursive: true })
    await symlink(new URL('../../profiles', import.meta.url), join(installed, 'profiles'))
    const below = join(root, 'packages', 'api')
    await mkdir(below, { recursive: true })
    for (const [cwd, up] of [
      [root, ''],
      [below, '../../'],
    ] as const) {
      expect((await runInit(cwd)).files).toHaveLength(3)
      const schema = async (file: string) => /\$schema=(\S+)/.exec(await readFile(join(cwd, file), 'utf8'))?.[1]
      const folder = `${up}node_modules/perfdb/profiles`
      expect(await schema('perfdb.yaml')).toBe(`${up === '' ? './' : ''}${folder}/config.schema.json`)
      expect(await schema('perfdb/indexes.yaml')).toBe(`../${folder}/profile.schema.json`)
      expect(await schema('perfdb/app.pools.yaml')).toBe(`../${folder}/pools.schema.json`)
    }
    // import --out writes such a line too.
    expect(await profileSchemaOf(join(below, 'p.yaml'))).toBe('../../node_modules/perfdb/profiles/profile.schema.json')
    expect(await profileSchemaOf(join(root, 'p.yaml'))).toBe('./node_modules/perfdb/profiles/profile.schema.json')
    await mkdir(join(root, 'apart', '.git'), { recursive: true })
    expect(await profileSchemaOf(join(root, 'apart', 'perfdb', 'indexes.yaml'))).toBeUndefined()
    expect((await runInit(join(root, 'apart'))).files).toEqual([
      'perfdb.yaml',
      'perfdb/indexes.yaml',
      'perfdb/app.pools.yaml',
      'perfdb/schemas/profile.schema.json',
      'perfdb/schemas/pools.schema.json',
      'perfdb/schemas/config.schema.json',
    ])
    expect(await profileSchemaOf(join(root, 'apart', 'perfdb', 'indexes.yaml'))).toBe('./schemas/profile.schema.json')
  } finally {
    await rm(root, { recursive: true })
  }
})

test('a folder that cannot be written is told as that', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-init-'))
  try {
    await writeFile(join(cwd, 'perfdb'), 'a file where the folder belongs')
    await expect(runInit(cwd)).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/^perfdb\/indexes.yaml cannot be written/),
    })
  } finally {
    await rm(cwd, { recursive: true })
  }
})
