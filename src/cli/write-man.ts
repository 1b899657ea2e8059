import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manPage } from './help/man.js'
import { buildProgram } from './program.js'

/* A step of the build: the manual page perfdb.1 beside this module, which stands in dist/ then. */
const file = fileURLToPath(new URL('perfdb.1', import.meta.url))
await mkdir(dirname(file), { recursive: true })
await writeFile(file, manPage(buildProgram()))
