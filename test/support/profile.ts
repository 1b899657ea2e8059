import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Profile } from '../../src/profile/profile.js'
import { readProfiles } from '../../src/profile/read/read.js'

/** Profiles from YAML text, read as from files. */
export async function profilesOf(...texts: readonly string[]): Promise<readonly Profile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    const files = await Promise.all(
      texts.map(async (text, position) => {
        const file = join(folder, `p${position}.yaml`)
        await writeFile(file, text)
        return file
      }),
    )
    return await readProfiles(files, { cwd: folder, environment: {} })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A profile with these entries under `indexes:`, given as YAML flow lines, and more top-level text. */
export async function profileOf(indexes: readonly string[], more = ''): Promise<readonly Profile[]> {
  const list = indexes.length === 0 ? '' : `indexes:\n${indexes.map((line) => `  - ${line}`).join('\n')}\n`
  return profilesOf(`version: 1\nprofile: test\nschema: public\n${list}${more}`)
}
