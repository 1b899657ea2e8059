import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/cli/config.js'
import { firstFiles, runInit } from '../../src/commands/init.js'
import { readPools } from '../../src/pools/read.js'
import { readProfiles } from '../../src/profile/read.js'

test('init writes files that perfdb reads, with their examples uncommented too, and never writes over one', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-init-'))
  try {
    const { files } = await runInit(cwd)
    const config = await readConfig(cwd, undefined, {})
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
  const { parseProfile } = await import('../../src/profile/read.js')
  const text = (firstFiles.get('perfdb/indexes.yaml') ?? '')
    .replace('indexes: []', 'indexes:')
    .replace('queries: []', 'queries:')
    .replaceAll(/^# {2}/gm, '  ')
  const profile = parseProfile(text, 'indexes.yaml')
  expect(JSON.stringify(profile)).toContain('idx_orders_customer_created_at')
})
