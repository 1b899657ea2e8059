import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'rolldown/parseAst'
import { schemaTypes } from './schema-types.mjs'

/*
 * The second half of `npm run build`: checks the types of all sources, and writes those of the library to dist/*.d.cts, each one file that
 * needs no other package. What tsc declares is taken from the entries on, declaration by declaration; what is a zod schema comes from the
 * JSON Schemas that bin/build.mjs wrote before.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const declared = await mkdtemp(join(tmpdir(), 'perfdb-types-'))
const sources = new Map()
const exported = /^export /m
try {
  // A mistake in one room leaves the types of the library.
  if (!(await compile())) process.exitCode = 1
  const schemas = await schemaTypes(join(root, 'profiles'))
  const library = await reach('src/library/perfdb.d.ts', schemas)
  await place('perfdb.d.cts', textOf(library))
  const testing = await reach('src/library/testing.d.ts', schemas)
  const shared = [...testing.keys()].filter((name) => exported.test(library.get(name) ?? ''))
  for (const name of shared) testing.delete(name)
  await place('testing.d.cts', textOf(testing, `import type { ${shared.join(', ')} } from './perfdb.cjs'\n`))
  const runtime = await reach('src/runtime/runtime.d.ts', schemas)
  const imported = (mode) => `import type postgres from 'postgres'${mode}\n`
  await place('runtime.d.mts', textOf(runtime, imported('')))
  await place('runtime.d.cts', textOf(runtime, imported(" with { 'resolution-mode': 'import' }")))
} finally {
  await rm(declared, { recursive: true })
}

async function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = ['-p', join(root, 'tsconfig.json'), '--emitDeclarationOnly', '--outDir', declared]
  return new Promise((done) => {
    execFile(process.execPath, [tsc, ...options], (error, stdout, stderr) => {
      process.stderr.write(stdout + stderr)
      done(error === null)
    })
  })
}

/** Name to text of every declaration that the exports of an entry need, in the order in which they are met. */
async function reach(entry, schemas) {
  const found = new Map()
  const visit = async (path, name) => {
    if (found.has(name)) return
    const { declarations, imports } = await source(path)
    const declaration = declarations.get(name)
    if (declaration === undefined) {
      const from = imports.get(name)
      return from === undefined ? undefined : visit(from, name)
    }
    if (/\bz\.infer\b/.test(declaration.text)) {
      if (!schemas.has(name))
        throw new Error(`${name} of ${path} is a zod schema that bin/schema-types.mjs does not name`)
      for (const [shape, text] of schemas.get(name)) found.set(shape, text)
      // A recursive shape is written by hand beside its schema.
      if ([...schemas.get(name).values()].some((text) => text.includes('WrittenValue')))
        await visit(path, 'WrittenValue')
      return
    }
    found.set(name, declaration.text)
    for (const other of declaration.names) if (other !== name) await visit(path, other)
  }
  const { exports } = await source(entry)
  for (const [name, path] of exports) await visit(path ?? entry, name)
  return found
}

/** The top level of a .d.ts file. */
async function source(path) {
  if (sources.has(path)) return sources.get(path)
  const text = await readFile(join(declared, path), 'utf8')
  const { body, comments = [] } = parseAst(text, { lang: 'dts' }, path)
  const declarations = new Map()
  const imports = new Map()
  const exports = new Map()
  const fileOf = (name) => resolve('/', dirname(path), name.replace(/\.js$/, '.d.ts')).slice(1)
  let end = 0
  for (const node of body) {
    const inner = node.declaration ?? node
    if (node.type === 'ImportDeclaration') {
      // Those of a package stay an import: textOf.
      if (node.source.value.startsWith('.'))
        for (const { local } of node.specifiers) imports.set(local.name, fileOf(node.source.value))
    } else if (node.source != null)
      for (const { exported: name } of node.specifiers) exports.set(name.name, fileOf(node.source.value))
    else if (inner.id !== undefined || inner.declarations !== undefined) {
      const name = inner.id?.name ?? inner.declarations[0].id.name
      if (node.declaration != null) exports.set(name, undefined)
      // With the comment above it; a constant is known to the types alone.
      const whole = text.slice(end, node.end).trim()
      const own = inner.declarations === undefined ? whole : whole.replace(/^export (?=declare const)/m, '')
      declarations.set(name, { text: own.startsWith('/**') ? doc(own) : own, names: namesIn(inner) })
    }
    end = node.end
  }
  if (comments.length > 0 && body.length === 0) throw new Error(`${path} declares nothing`)
  sources.set(path, { declarations, imports, exports })
  return sources.get(path)
}

/** The text with the last of the comments above the declaration. */
function doc(text) {
  const last = text.lastIndexOf('\n/**')
  return last < 0 ? text : text.slice(last + 1)
}

/** Every name in it that is not the key of a property. */
function namesIn(node, names = new Set()) {
  if (Array.isArray(node)) for (const one of node) namesIn(one, names)
  else if (node !== null && typeof node === 'object') {
    if (node.type === 'TSImportType') throw new Error('a type is imported in its place: name it at the top')
    if (node.type === 'Identifier') names.add(node.name)
    for (const [key, value] of Object.entries(node)) if (key !== 'key' || node.computed) namesIn(value, names)
  }
  return names
}

function textOf(declarations, top = '') {
  // Without the last line everything that is declared would be exported.
  return `${top}${[...declarations.values()].join('\n')}\nexport {}\n`
}

/** In one move, so that nobody reads half a file. */
async function place(name, text) {
  const unfinished = join(root, 'dist', `.${process.pid}-${name}`)
  await writeFile(unfinished, text)
  await rename(unfinished, join(root, 'dist', name))
}
