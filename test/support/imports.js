import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

/*
 * What imports what under src and migrations: read by test/walls.test.ts, and printed by `npm run check` (house.js).
 *
 * @typedef {{ readonly path: string, readonly text: string }} Source a file, its path from the project's folder
 * @typedef {{
 *   readonly from: string, readonly fromRoom: string, readonly to: string, readonly room: string | undefined, readonly types: boolean, readonly names: readonly string[]
 * }} Import `to` is a file as `Source.path`, or a package, which has no room
 */

const root = join(import.meta.dirname, '../..')

/** @returns {Promise<readonly Source[]>} every file, in the order of the paths */
export async function sources() {
  const found = await Promise.all(
    ['src', 'migrations'].map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true })
      return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
    }),
  )
  const paths = found.flat().toSorted()
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })))
}

/**
 * @param {Source} source
 * @returns {readonly Import[]} in the order of the text, those of `import()` last
 */
export function importsOf({ path, text }) {
  const code = withoutComments(text)
  const declarations = [...code.matchAll(/^(?:import|export)\s+([\w\s{},*$]*?from\s+)?'([^']+)'/gm)]
  const dynamic = [...code.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)(\.[A-Z])?/g)]
  const found = [
    ...declarations.map(([, names = '', to = '']) => ({ to, types: onlyTypes(names), names: namesOf(names) })),
    ...dynamic.map(([, before, to = '', type]) => ({
      to,
      types: before !== undefined || type !== undefined,
      names: [],
    })),
  ]
  return found.map(({ to, types, names }) => {
    const file = to.startsWith('.') ? normalize(join(dirname(path), to)).replace(/\.js$/, '.ts') : undefined
    const room = file === undefined ? undefined : roomOf(file)
    return { from: path, fromRoom: roomOf(path), to: file ?? to, room, types, names }
  })
}

/**
 * src/cli/main.ts is in cli, src/measure/plan/json.ts in measure/plan, src/errors.ts a room by itself, migrations/0001.ts in migrations.
 *
 * @param {string} path
 * @returns {string}
 */
export function roomOf(path) {
  const folders = path.split('/')
  if (folders[0] !== 'src') return folders[0] ?? ''
  return folders.length > 2 ? folders.slice(1, -1).join('/') : (folders[1] ?? '')
}

/**
 * The groups whose members reach each other by the arrows (the strongly connected components of two and more).
 *
 * @param {ReadonlyMap<string, ReadonlySet<string>>} arrows
 * @returns {readonly (readonly string[])[]}
 */
export function circlesOf(arrows) {
  const reached = new Map([...arrows.keys()].map((start) => [start, reachable(start, arrows)]))
  /** @type {Map<string, readonly string[]>} */
  const groups = new Map()
  for (const [name, ends] of reached) {
    if (!ends.has(name)) continue
    const group = [...ends].filter((end) => reached.get(end)?.has(name)).toSorted()
    groups.set(group.join(), group)
  }
  return [...groups.values()]
}

/**
 * @param {readonly (readonly [string, string])[]} pairs
 * @returns {ReadonlyMap<string, ReadonlySet<string>>}
 */
export function arrowsOf(pairs) {
  /** @type {Map<string, Set<string>>} */
  const arrows = new Map()
  for (const [from, to] of pairs) if (from !== to) arrows.set(from, (arrows.get(from) ?? new Set()).add(to))
  return arrows
}

/** @param {string} text */
export function withoutComments(text) {
  return text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/**
 * @param {string} start
 * @param {ReadonlyMap<string, ReadonlySet<string>>} arrows
 */
function reachable(start, arrows) {
  /** @type {Set<string>} */
  const seen = new Set()
  const open = [...(arrows.get(start) ?? [])]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (seen.has(one)) continue
    seen.add(one)
    open.push(...(arrows.get(one) ?? []))
  }
  return seen
}

/** @param {string} clause such as `{ a, type B } from ` */
function onlyTypes(clause) {
  if (/^type\s/.test(clause)) return true
  const parts = listed(clause)
  return parts !== undefined && parts.every((part) => part.startsWith('type '))
}

/** @param {string} clause */
function namesOf(clause) {
  return (listed(clause) ?? []).map((part) => part.replace(/^type /, '').replace(/ as .*/, ''))
}

/** @param {string} clause */
function listed(clause) {
  const list = /^(?:type\s+)?\{(.*)\}\s*from\s*$/s.exec(clause)?.[1]
  return list
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
