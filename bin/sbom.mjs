import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/*
 * `node bin/sbom.mjs FILE`, after a build: the parts that somebody who installs perfdb runs, as CycloneDX. To npm what is bundled is a
 * development dependency as a test tool is: of its list those stay that dist/LICENSES.txt names, and what the package depends on.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const [file = 'perfdb.cdx.json'] = process.argv.slice(2)
const options = { cwd: root, maxBuffer: 100_000_000 }
const npm = async (...args) => JSON.parse((await promisify(execFile)('npm', args, options)).stdout)
const all = await npm('sbom', '--sbom-format', 'cyclonedx', '--package-lock-only')
const installed = await npm(
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--package-lock-only',
  '--omit',
  'dev',
  '--omit',
  'optional',
  '--omit',
  'peer',
)

const licenses = await readFile(join(root, 'dist', 'LICENSES.txt'), 'utf8')
const bundled = [...licenses.matchAll(/^((?:@[a-z\d._-]+\/)?[a-z\d._-]+) (\d+\.\d+\.\d\S*)$/gm)].map(
  ([, name, version]) => `${name}@${version}`,
)
const parts = new Set([...bundled, ...installed.components.map((part) => part['bom-ref'])])
const components = all.components.filter((part) => parts.has(part['bom-ref']))
const missing = bundled.filter((part) => !components.some((one) => one['bom-ref'] === part))
if (missing.length > 0) throw new Error(`the lock file does not know ${missing.join(', ')}`)

const self = all.metadata.component['bom-ref']
const dependencies = all.dependencies
  .filter(({ ref }) => ref === self || parts.has(ref))
  .map(({ ref, dependsOn = [] }) => ({
    ref,
    dependsOn: ref === self ? [...parts] : dependsOn.filter((one) => parts.has(one)),
  }))
const metadata = { ...all.metadata, component: { ...all.metadata.component, name: 'perfdb' } }
await writeFile(
  file,
  `${JSON.stringify({ ...all, metadata, components: components.map(used), dependencies }, null, 2)}\n`,
)

/** It is run, however it came in. */
function used(part) {
  return { ...part, properties: part.properties.filter(({ name }) => name !== 'cdx:npm:package:development') }
}
