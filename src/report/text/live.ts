import type { Layout } from '../block/layout.js'
import { ellipsisOf, roomOf } from '../block/layout.js'
import { outcomeTones } from '../block/outcomes.js'
import { paintOf } from './paint.js'
import type { Progress, Running } from './progress.js'
import { duration, several } from '../../text/amounts.js'
import { cutEnd, cutMiddle, padEnd, visible, widthOf } from './width.js'

const barColumns = 12
const nameFloor = 20

/**
 * The lines that a terminal shows of a run now: what has ended, one a build under way (a second one for who blocks it), then the stage. No line
 * reaches the last column, where terminals would wrap it, and there are at most `rows` of them: builds under way come first, then the newest that ended.
 */
export function liveLines(progress: Progress, layout: Layout, rows: number): readonly string[] {
  const paint = paintOf(layout.color)
  const room = roomOf(layout) - 1
  const ellipsis = ellipsisOf(layout)
  const most = Math.max(1, rows - 2)
  const bottom =
    progress.stage === '' && progress.of === 0
      ? []
      : [paint('quiet', cutEnd(visible(stageText(progress)), room, ellipsis))]
  const ended = progress.finished.slice(-most)
  const widest = Math.max(0, ...[...progress.running, ...ended].map((one) => widthOf(nameOf(one))))
  // What a build does now is worth more than the whole of its name.
  const nameColumns = Math.min(widest, Math.max(nameFloor + 8, Math.floor(room / 2)))
  const builds = progress.running.map((running) => {
    const line = buildLine(running, layout, room, nameColumns)
    const blocker =
      running.blocker === null
        ? []
        : [paint('warn', cutEnd(`    waits for ${visible(running.blocker)}`, room, ellipsis))]
    return [line, ...blocker]
  })
  const lines: string[] = []
  for (const [at, build] of builds.entries()) {
    if (lines.length + build.length > most)
      return [...lines, paint('quiet', `and ${several(builds.length - at, 'more build')}`), ...bottom].slice(-rows)
    lines.push(...build)
  }
  // A failure is told above the live lines, where it stays.
  const finished = ended
    .filter(({ outcome }) => outcome !== 'failed')
    .slice(lines.length - most)
    .map((one) => {
      const name = fitted(nameOf(one), nameColumns, ellipsis)
      return name + paint(outcomeTones[one.outcome], cutEnd(`  ${visible(one.text)}`, room - widthOf(name), ellipsis))
    })
  return [...(lines.length < most ? finished : []), ...lines, ...bottom]
}

function nameOf({ number, of, index }: Pick<Running, 'number' | 'of' | 'index'>): string {
  return visible(`[${number}/${of}] ${index}`)
}

/** The text in exactly so many columns. */
function fitted(text: string, columns: number, ellipsis: string): string {
  return padEnd(cutMiddle(text, columns, ellipsis), columns)
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
    [short, ...percent],
    [...percent, elapsed],
  ].map((parts) => `  ${parts.join('  ')}`)
  const name = nameOf(running)
  const lead = widthOf(name) - widthOf(visible(running.index))
  const rest =
    choices.find((choice) => nameColumns + widthOf(choice) <= room) ??
    choices.find((choice) => Math.min(lead + nameFloor, nameColumns) + widthOf(choice) <= room) ??
    choices.at(-1) ??
    ''
  const space = Math.max(4, room - widthOf(rest))
  return cutEnd(fitted(name, Math.min(space, nameColumns), ellipsisOf(layout)) + rest, room, ellipsisOf(layout))
}

function barOf(percent: number, unicode: boolean): string {
  const full = Math.max(0, Math.min(barColumns, Math.round((percent / 100) * barColumns)))
  return (unicode ? '█' : '#').repeat(full) + (unicode ? '░' : '.').repeat(barColumns - full)
}

/** What runs now; while queries are measured after builds, both numbers. */
function stageText({ stage, measured, done, failed, of }: Progress): string {
  const built = of === 0 ? '' : `${done}/${of} done${failed === 0 ? '' : `, ${failed} failed`}`
  if (measured === null) return [stage, built].filter((part) => part !== '').join('  ')
  return `${built === '' ? '' : `${built}; `}${stage}  ${measured.number}/${measured.of}  ${measured.query}`
}
