import type { Layout } from '../block/layout.js'
import { ellipsisOf, roomOf } from '../block/layout.js'
import { paintOf } from './paint.js'
import type { Progress, Running } from './progress.js'
import { duration, several } from '../../text/amounts.js'
import { cutEnd, cutMiddle, padEnd, visible, widthOf } from './width.js'

const barColumns = 12
const nameFloor = 20

/**
 * The lines that a terminal shows of a run now: one a build (a second one for who blocks it), then the stage. No line
 * reaches the last column, where terminals would wrap it, and there are at most `rows` of them.
 */
export function liveLines(progress: Progress, layout: Layout, rows: number): readonly string[] {
  const paint = paintOf(layout.color)
  const room = roomOf(layout) - 1
  const bottom =
    progress.stage === '' && progress.of === 0
      ? []
      : [paint('quiet', cutEnd(visible(stageText(progress)), room, ellipsisOf(layout)))]
  const nameColumns = Math.max(0, ...progress.running.map((running) => widthOf(visible(running.index))))
  const builds = progress.running.map((running) => {
    const line = buildLine(running, layout, room, nameColumns)
    const blocker =
      running.blocker === null
        ? []
        : [paint('warn', cutEnd(`    waits for ${visible(running.blocker)}`, room, ellipsisOf(layout)))]
    return [line, ...blocker]
  })
  const most = Math.max(1, rows - 2)
  const lines: string[] = []
  for (const [at, build] of builds.entries()) {
    if (lines.length + build.length > most)
      return [...lines, paint('quiet', `and ${several(builds.length - at, 'more build')}`), ...bottom].slice(-rows)
    lines.push(...build)
  }
  return [...lines, ...bottom]
}

/** Name, phase, bar, time left, time so far; on a narrow terminal half of the phase goes first, then the bar, the time left, the phase. */
function buildLine(build: Running, layout: Layout, room: number, nameColumns: number): string {
  // While it waits the server's counters are those of the phase before: 100 %, and a moment left.
  const running = build.phase.startsWith('waiting') ? { ...build, percent: null, etaMs: null } : build
  const elapsed = duration(running.elapsedMs)
  const eta = running.etaMs === null ? [] : [`${duration(running.etaMs)} left`]
  const percent = running.percent === null ? [] : [`${Math.round(running.percent)} %`]
  const bar =
    running.percent === null ? [] : [`${barOf(running.percent, layout.unicode)} ${Math.round(running.percent)} %`]
  const phase = visible(running.phase)
  // `scanning table` of `building index: scanning table`.
  const short = phase.slice(phase.indexOf(': ') + 1).trim()
  const choices = [
    [phase, ...bar, ...eta, elapsed],
    [short, ...bar, ...eta, elapsed],
    [short, ...percent, ...eta, elapsed],
    [short, ...percent, elapsed],
    [...percent, elapsed],
  ].map((parts) => `  ${parts.join('  ')}`)
  const name = visible(`[${running.number}/${running.of}] ${running.index}`)
  const lead = widthOf(name) - widthOf(visible(running.index))
  const rest =
    choices.find((choice) => lead + nameColumns + widthOf(choice) <= room) ??
    choices.find((choice) => lead + Math.min(nameFloor, nameColumns) + widthOf(choice) <= room) ??
    choices.at(-1) ??
    ''
  const space = Math.max(4, room - widthOf(rest))
  return cutEnd(
    padEnd(cutMiddle(name, space, ellipsisOf(layout)), Math.min(space, lead + nameColumns)) + rest,
    room,
    ellipsisOf(layout),
  )
}

function barOf(percent: number, unicode: boolean): string {
  const full = Math.max(0, Math.min(barColumns, Math.round((percent / 100) * barColumns)))
  return (unicode ? '█' : '#').repeat(full) + (unicode ? '░' : '.').repeat(barColumns - full)
}

function stageText(progress: Progress): string {
  if (progress.measured !== null)
    return `${progress.stage}  ${progress.measured.number}/${progress.measured.of}  ${progress.measured.query}`
  if (progress.of === 0) return progress.stage
  return `${progress.stage}  ${progress.done}/${progress.of} done${progress.failed === 0 ? '' : `, ${progress.failed} failed`}`
}
