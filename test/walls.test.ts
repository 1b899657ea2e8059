import { readdir, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/*
 * The walls of src/README.md: which room may import from which, where each package lives, and what is written nowhere.
 */

/** Rooms from the top; what stands on one line are neighbours, which may not import each other unless a door says so. */
const floors: readonly (readonly string[])[] = [
  ['library'],
  ['cli'],
  ['report'],
  ['commands'],
  ['build'],
  ['plan'],
  ['measure', 'ledger', 'catalog'],
  ['pools', 'server'],
  ['result'],
  ['options'],
  ['profile'],
  ['codes'],
  ['sql'],
  ['migrations'],
  ['yaml', 'definition'],
  ['text'],
  ['errors.ts'],
]

/** Doors besides those that lead down: the live part of check-pool asks the server. */
const doors: ReadonlySet<string> = new Set(['pools -> server'])

/** Files of which every room may take the types: what the catalog says, what a plan and a finding are, what a command returns. */
const publicTypes = ['src/catalog/snapshot.ts', 'src/plan/plan.ts', 'src/result/result.ts']

/** Where each package is loaded; its types may go further down. */
const homes: Readonly<Record<string, readonly string[]>> = {
  postgres: ['server'],
  zod: ['yaml'],
  yaml: ['yaml'],
  'libpg-query': ['sql'],
  kysely: ['ledger', 'migrations'],
  chalk: ['report'],
  'cli-table3': ['report'],
  commander: ['cli'],
}

/** Rooms that only compute, and those whose imports would do something to the outside. */
const pureRooms = ['definition', 'yaml', 'sql', 'plan', 'report']
const effects = ['server', 'catalog', 'build', 'ledger', 'cli', 'library']

test('every import goes through an allowed door', async () => {
  const wrong = (await imports()).filter((one) => one.room !== undefined && !isAllowed(one))
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test('the pure rooms import no effect', async () => {
  const wrong = (await imports()).filter(
    ({ fromRoom, room, types }) => pureRooms.includes(fromRoom) && effects.includes(room ?? '') && !types,
  )
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test('every package is at home in one room', async () => {
  const packages = (await imports()).filter(({ room, to, types }) => room === undefined && !types && !isBuiltin(to))
  expect(packages.filter(({ fromRoom, to }) => !(homes[to] ?? []).includes(fromRoom))).toEqual([])
  expect(new Set(packages.map(({ to }) => to))).toEqual(new Set(Object.keys(homes)))
  expect(packages.filter(({ to }) => to === 'zod').map(({ from }) => from)).toEqual(['src/yaml/schema.ts'])
})

test('zod is never imported lazily: its namespace would keep all of it, four times as much to load', async () => {
  const lazy = (await sources()).filter(({ text }) => /\bimport\('[^']*yaml\/schema\.js'\)(?!\.)/.test(text))
  expect(lazy.map(({ path }) => path)).toEqual([])
})

test('no room has two ways round a circle', async () => {
  const arrows = new Map<string, Set<string>>()
  for (const { fromRoom, room, types } of await imports())
    if (room !== undefined && room !== fromRoom && !types)
      arrows.set(fromRoom, (arrows.get(fromRoom) ?? new Set()).add(room))
  const circles = [...arrows.keys()].filter((room) => reachable(room, arrows).has(room))
  expect(circles).toEqual([])
})

test('no barrel, and no file of more than 250 lines', async () => {
  const files = await sources()
  expect(files.filter(({ path }) => /(^|\/)index\.ts$/.test(path)).map(({ path }) => path)).toEqual([])
  expect(files.filter(({ text }) => text.split('\n').length > 251).map(({ path }) => path)).toEqual([])
  const reexports = files.filter(({ text }) => /^export (\*|type \{[^}]*\} from|\{[^}]*\} from)/m.test(text))
  // What `import 'perfdb'` gives, and the door to zod.
  expect(reexports.map(({ path }) => path)).toEqual(['src/library/perfdb.ts', 'src/yaml/schema.ts'])
})

test.each([
  ['process.exit(', /\bprocess\s*\.\s*exit\s*\(/],
  ['if not exists in the DDL of an index', /\bindex\b[^;'"`]*\bif\s+not\s+exists\b/i],
  ['a lock that waits', /\bpg_advisory_lock\s*\(/],
  ['a class besides the error', /^export (abstract )?class (?!PerfdbError\b)|^class /m],
])('nowhere: %s', async (_, pattern) => {
  expect((await sources()).filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path)).toEqual(
    [],
  )
})

test('what reads the imports reads them all', () => {
  const text = `import { a } from './a.js'
import type { B } from './b.js'
import './c.js'
export { d } from './d.js'
type E = import('./e.js').E
const f = await import('./f.js')
import {
  type G,
  type H,
} from './g.js'
// import { x } from './x.js'`
  expect(importsOf({ path: 'src/cli/x.ts', text }).map(({ to, types }) => [to.replace('src/cli/', ''), types])).toEqual(
    [
      ['a.ts', false],
      ['b.ts', true],
      ['c.ts', false],
      ['d.ts', false],
      ['g.ts', true],
      ['e.ts', true],
      ['f.ts', false],
    ],
  )
})

interface Source {
  /** From the project's folder, such as src/cli/main.ts. */
  readonly path: string
  readonly text: string
}

interface Import {
  readonly from: string
  readonly fromRoom: string
  /** A file of the project as Source.path, or a package. */
  readonly to: string
  readonly room: string | undefined
  readonly types: boolean
}

const root = join(import.meta.dirname, '..')

async function sources(): Promise<readonly Source[]> {
  const found = await Promise.all(
    ['src', 'migrations'].map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true })
      return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
    }),
  )
  const paths = found.flat().toSorted()
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })))
}

async function imports(): Promise<readonly Import[]> {
  return (await sources()).flatMap(importsOf)
}

function importsOf({ path, text }: Source): readonly Import[] {
  const code = withoutComments(text)
  const declarations = [...code.matchAll(/^(?:import|export)\s+([\w\s{},*$]*?from\s+)?'([^']+)'/gm)]
  const dynamic = [...code.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)(\.[A-Z])?/g)]
  const found = [
    ...declarations.map(([, names = '', to = '']) => ({ to, types: onlyTypes(names) })),
    ...dynamic.map(([, before, to = '', type]) => ({ to, types: before !== undefined || type !== undefined })),
  ]
  return found.map(({ to, types }) => {
    const file = to.startsWith('.') ? normalize(join(dirname(path), to)).replace(/\.js$/, '.ts') : undefined
    return {
      from: path,
      fromRoom: roomOf(path),
      to: file ?? to,
      room: file === undefined ? undefined : roomOf(file),
      types,
    }
  })
}

function onlyTypes(names: string): boolean {
  if (/^type\s/.test(names)) return true
  const listed = /^\{(.*)\}\s*from\s*$/s.exec(names)?.[1]
  const parts = listed?.split(',').map((part) => part.trim()) ?? []
  return listed !== undefined && parts.every((part) => part === '' || part.startsWith('type '))
}

/** src/cli/main.ts is in cli, src/errors.ts a room by itself, migrations/0001.ts in migrations. */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  return top === 'src' ? second : top
}

function isAllowed({ fromRoom, to, room = '', types }: Import): boolean {
  if (fromRoom === room || (types && publicTypes.includes(to)) || doors.has(`${fromRoom} -> ${room}`)) return true
  return floorOf(fromRoom) < floorOf(room)
}

function floorOf(room: string): number {
  const floor = floors.findIndex((rooms) => rooms.includes(room))
  if (floor < 0) throw new Error(`the room ${room} stands on no floor`)
  return floor
}

function reachable(start: string, arrows: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const seen = new Set<string>()
  const open = [...(arrows.get(start) ?? [])]
  for (let room = open.pop(); room !== undefined; room = open.pop()) {
    if (seen.has(room)) continue
    seen.add(room)
    open.push(...(arrows.get(room) ?? []))
  }
  return seen
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
