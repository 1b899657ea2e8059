import { readdirSync } from 'node:fs'
import { arrowsOf, circlesOf, importsOf, sources } from './imports.js'

/*
 * The end of `npm run check`: the figures by which the layout of src is judged. test/walls.test.ts holds what must hold.
 */
const files = await sources()
const imports = files.flatMap(importsOf).filter(({ room }) => room !== undefined)
const top = (room) => room.split('/')[0]
const say = (what, ...values) => process.stdout.write(`${[what.padEnd(34), ...values].join(' ')}\n`)

const circles = circlesOf(arrowsOf(imports.map(({ from, to }) => [from, to])))
say(
  'files, lines',
  files.length,
  files.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0),
)
say('circles between files', circles.length, circles.map((circle) => circle.length).join(' '))
if (process.argv.includes('--circles')) for (const circle of circles) say('', `\n  ${circle.join('\n  ')}`)
say('circles between rooms', circlesOf(arrowsOf(imports.map(({ fromRoom, room }) => [fromRoom, room]))).length)

const pairs = new Set(
  imports.filter((one) => top(one.fromRoom) !== top(one.room)).map((one) => `${top(one.fromRoom)} ${top(one.room)}`),
)
const mutual = [...pairs].filter((pair) => pairs.has(pair.split(' ').toReversed().join(' ')))
say(
  'pairs of rooms both ways',
  mutual.length / 2,
  mutual.filter((pair) => pair < pair.split(' ').toReversed().join(' ')).join(', '),
)

const crossing = imports
  .filter((one) => top(one.fromRoom) === 'report' && top(one.room) === 'commands')
  .flatMap(({ names }) => names)
say('names that report takes of commands', crossing.length, `(${new Set(crossing).size} distinct)`)
say(
  'doors between rooms (imports)',
  pairs.size,
  `(${imports.filter((one) => top(one.fromRoom) !== top(one.room)).length})`,
)

const rooms = [
  'src',
  ...new Set(
    files
      .map(({ path }) => path.split('/'))
      .filter(([first, , third]) => first === 'src' && third !== undefined)
      .map(([, room]) => `src/${room}`),
  ),
]
say('entries a room', rooms.map((room) => `${room.replace('src/', '')} ${readdirSync(room).length}`).join(', '))
