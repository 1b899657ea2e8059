import { builtinModules } from 'node:module'
import { expect, test } from 'vitest'
import { arrowsOf, circlesOf, importsOf, sources, withoutComments } from './support/imports.js'

/*
 * The walls of src/README.md: which room may import from which, where each package lives, and what is written nowhere.
 */

/** Rooms from the top, those in rooms too: an import runs down, never up and never to a neighbour on the same line. */
const floors: readonly (readonly string[])[] = [
  ['library', 'cli', 'runtime'],
  ['cli/completion', 'cli/help', 'cli/start'],
  ['cli/terminal'],
  ['actions/fleet'],
  ['actions'],
  ['actions/load', 'actions/queries', 'actions/start'],
  ['actions/files'],
  ['actions/connect'],
  ['settings'],
  ['report'],
  ['report/export', 'report/machine'],
  ['report/page'],
  ['report/blocks'],
  ['report/text'],
  ['report/block'],
  ['runtime/audit', 'runtime/tenants'],
  ['runtime/pool'],
  ['commands/start', 'commands/advise'],
  ['commands/apply', 'commands/load'],
  ['commands/explain', 'commands/import', 'commands/pool', 'commands/fleet'],
  ['commands/shared'],
  ['queue'],
  ['advise/choose'],
  ['advise'],
  ['twin/make', 'twin/suppose'],
  ['twin/files', 'twin/read'],
  ['twin'],
  ['build/run'],
  ['build/partitioned'],
  ['build/steps'],
  ['build/check'],
  ['build'],
  ['plan/make'],
  ['measure/price', 'measure/what-if'],
  ['measure/query'],
  ['measure/activity', 'measure/variants', 'measure/why'],
  ['measure/rules'],
  ['measure/sample'],
  ['measure/plan'],
  ['plan/hazards', 'plan/undo'],
  ['plan/audit', 'plan/partitioned'],
  ['plan/match'],
  ['ledger/records'],
  ['ledger/read'],
  ['plan', 'ledger'],
  ['ledger/tables'],
  ['catalog/probe', 'catalog/read'],
  ['catalog'],
  ['pools/file'],
  ['pools/judge'],
  ['pools/server'],
  ['pools/what-if'],
  ['pools/sums'],
  ['server'],
  ['server/wire'],
  ['server/embedded', 'server/target'],
  ['server/session'],
  ['result'],
  ['result/documents'],
  ['result/parts'],
  ['tenants'],
  ['profile/read'],
  ['profile/sql'],
  ['profile/complete'],
  ['profile/written', 'profile/files'],
  ['profile'],
  ['options', 'sql/import', 'sql/measure', 'sql/rewrite', 'sql/statements', 'sql/twin'],
  ['options/rows', 'sql/ddl'],
  ['sql/parser'],
  ['sql/catalog'],
  ['codes'],
  ['codes/help'],
  ['yaml', 'definition'],
  ['yaml/document'],
  ['migrations', 'text'],
  ['errors.ts'],
]

/** Where each package is loaded; its types may go further down. */
const homes: Readonly<Record<string, readonly string[]>> = {
  // The runtime's is that of the application.
  postgres: ['server', 'runtime'],
  'lru-cache': ['runtime'],
  zod: ['yaml'],
  yaml: ['yaml'],
  'libpg-query': ['sql'],
  kysely: ['ledger', 'migrations'],
  chalk: ['report'],
  'cli-table3': ['report'],
  commander: ['cli'],
  'pg-boss': ['queue'],
}

/** Rooms that only compute, and those whose imports would do something to the outside. */
const pureRooms = ['definition', 'yaml', 'sql', 'plan', 'report']
const effects = ['server', 'catalog', 'build', 'ledger', 'settings', 'actions', 'cli', 'library']

test('every import goes through an allowed door', async () => {
  const wrong = (await imports()).filter((one) => one.room !== undefined && !isAllowed(one))
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test('the pure rooms import no effect', async () => {
  const wrong = (await imports()).filter(
    ({ fromRoom, room = '', types }) => pureRooms.includes(topOf(fromRoom)) && effects.includes(topOf(room)) && !types,
  )
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test('every package is at home in one room', async () => {
  const packages = (await imports()).filter(({ room, to, types }) => room === undefined && !types && !isBuiltin(to))
  expect(packages.filter(({ fromRoom, to }) => !(homes[to] ?? []).includes(topOf(fromRoom)))).toEqual([])
  expect(new Set(packages.map(({ to }) => to))).toEqual(new Set(Object.keys(homes)))
  expect(packages.filter(({ to }) => to === 'zod').map(({ from }) => from)).toEqual(['src/yaml/schema.ts'])
})

test('zod is never imported lazily: its namespace would keep all of it, four times as much to load', async () => {
  const lazy = (await sources()).filter(({ text }) => /\bimport\('[^']*yaml\/schema\.js'\)(?!\.)/.test(text))
  expect(lazy.map(({ path }) => path)).toEqual([])
})

test('no circle: neither of files nor of rooms, and types count', async () => {
  const inside = (await imports()).flatMap(({ from, fromRoom, to, room }) =>
    room === undefined ? [] : [{ from, fromRoom, to, room }],
  )
  expect(circlesOf(arrowsOf(inside.map(({ from, to }) => [from, to])))).toEqual([])
  expect(circlesOf(arrowsOf(inside.map(({ fromRoom, room }) => [fromRoom, room])))).toEqual([])
  // What finds circles finds them.
  expect(
    circlesOf(
      arrowsOf([
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
        ['c', 'd'],
      ]),
    ),
  ).toEqual([['a', 'b', 'c']])
})

test('no barrel, and no file of more than 250 lines', async () => {
  const files = await sources()
  expect(files.filter(({ path }) => /(^|\/)index\.ts$/.test(path)).map(({ path }) => path)).toEqual([])
  expect(files.filter(({ text }) => text.split('\n').length > 251).map(({ path }) => path)).toEqual([])
  const reexports = files.filter(({ text }) => /^export (\*|type \{[^}]*\} from|\{[^}]*\} from)/m.test(text))
  // What `import 'perfdb'` and `import 'perfdb/runtime'` give, and the door to zod.
  expect(reexports.map(({ path }) => path)).toEqual([
    'src/library/perfdb.ts',
    'src/runtime/runtime.ts',
    'src/yaml/schema.ts',
  ])
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

test('what a run has of the process it gets from settings/outside.ts: a test runs commands in its own', async () => {
  const asks = /\bprocess\s*\.\s*(argv|cwd|env|stdin|stdout|stderr|kill|ppid)\b/
  const outside = ({ path }: { readonly path: string }) =>
    /^src\/(cli|actions|commands|settings|report)\//.test(path) && !/^src\/cli\/start\/|\/outside\.ts$/.test(path)
  const files = (await sources()).filter(outside)
  expect(files.length).toBeGreaterThan(200)
  expect(files.filter(({ text }) => asks.test(withoutComments(text))).map(({ path }) => path)).toEqual([])
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

async function imports() {
  return (await sources()).flatMap(importsOf)
}

function isAllowed({
  fromRoom,
  room = '',
}: {
  readonly fromRoom: string
  readonly room?: string | undefined
}): boolean {
  return fromRoom === room || floorOf(fromRoom) < floorOf(room)
}

function floorOf(room: string): number {
  const floor = floors.findIndex((rooms) => rooms.includes(room))
  if (floor < 0) throw new Error(`the room ${room} stands on no floor`)
  return floor
}

function topOf(room: string): string {
  return room.split('/')[0] ?? ''
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name)
}
