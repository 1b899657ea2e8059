import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonSchemas } from './json-schemas.js'

/*
 * A script of the build: writes the JSON Schemas into profiles/ of the package, whether it runs from src or from dist.
 */
let root = dirname(fileURLToPath(import.meta.url))
while (!existsSync(join(root, 'package.json'))) root = dirname(root)
const folder = join(root, 'profiles')
await mkdir(folder, { recursive: true })
for (const [name, text] of jsonSchemas()) await writeFile(join(folder, name), text)
