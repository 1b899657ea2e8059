import { inertLine } from '../../report/machine/log-commands.js'
import type { Listener, RunEvent } from '../../build/events.js'
import type { Layout } from '../../report/block/layout.js'
import { liveLines } from '../../report/text/live.js'
import type { Progress } from '../../report/text/progress.js'
import { advance, doneText, noProgress, plainLines } from '../../report/text/progress.js'
import { cutEnd, visible } from '../../report/text/width.js'

/** What is needed of stderr: process.stderr, or a recording stream in a test. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface ProgressOptions {
  readonly quiet: boolean
  readonly color: boolean
  readonly unicode: boolean
  /** A terminal that cannot move its cursor (TERM=dumb) gets plain lines. */
  readonly dumb?: boolean
}

export interface ProgressDrawing {
  readonly listener: Listener
  /** One line that stays, above the live lines; told even when quiet. */
  say(text: string): void
  /** Wipes the live lines and shows the cursor again; to be called before anything else is written. */
  close(): void
}

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const wipeLine = '\r\x1b[2K'
const wipeRest = '\x1b[K'
const wipeBelow = '\x1b[J'
// More frames than ten a second nobody reads, and a slow ssh line feels them.
const frameMs = 100

/** Draws a run on a stream: live lines in place on a terminal, plain lines elsewhere, nothing when quiet. */
export function drawProgress(stream: ProgressStream, options: ProgressOptions): ProgressDrawing {
  if (options.quiet)
    return {
      listener: () => undefined,
      say: (text) => stream.write(`${inertLine(visible(text))}\n`),
      close: () => undefined,
    }
  return stream.isTTY === true && options.dumb !== true ? live(stream, options) : plain(stream)
}

function plain(stream: ProgressStream): ProgressDrawing {
  let progress = noProgress
  return {
    listener(event) {
      const lines = plainLines(progress, event)
      progress = advance(progress, event)
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    say: (text) => stream.write(`${inertLine(visible(text))}\n`),
    close: () => undefined,
  }
}

/** A terminal of containers and of `script` may say that it has 0 rows and columns. */
function known(size: number | undefined, usual: number): number {
  return size === undefined || size === 0 ? usual : size
}

function live(stream: ProgressStream, options: ProgressOptions): ProgressDrawing {
  let progress: Progress = noProgress
  let drawn = 0
  let drawnAt = 0
  let timer: NodeJS.Timeout | undefined
  let open = false
  let closed = false

  function layout(): Layout {
    return { width: known(stream.columns, 80), color: options.color, unicode: options.unicode, verbose: false }
  }

  /** Line by line: what is wiped from the top of the screen at once, tmux keeps in its history. */
  function wiped(): string {
    return drawn === 0 ? '' : wipeLine + `\x1b[1A${wipeLine}`.repeat(drawn - 1)
  }

  /** One write a frame, so that no half of it is seen, over the one before. */
  function draw(above = ''): void {
    clearTimeout(timer)
    timer = undefined
    const lines = liveLines(progress, layout(), known(stream.rows, 24))
    const up = drawn > 1 ? `\x1b[${drawn - 1}A` : ''
    const text = `${above}${lines.join('\n')}`.replaceAll('\n', `${wipeRest}\n`)
    stream.write(`${open ? '' : hideCursor}${up}\r${text}${wipeRest}${wipeBelow}`)
    if (!open) process.once('exit', close)
    open = true
    drawn = lines.length
    drawnAt = Date.now()
  }

  function close(): void {
    closed = true
    clearTimeout(timer)
    if (open) stream.write(`${wiped()}${showCursor}`)
    open = false
    drawn = 0
    process.removeListener('exit', close)
  }

  return {
    listener(event) {
      if (closed) return
      progress = advance(progress, event)
      const above = lastingLine(event, layout())
      if (above !== '' || Date.now() - drawnAt >= frameMs) draw(above)
      else timer ??= setTimeout(draw, frameMs).unref()
    },
    say(text) {
      if (open) draw(`${inertLine(visible(text))}\n`)
      else stream.write(`${inertLine(visible(text))}\n`)
    },
    close,
  }
}

/** A failure and a warning stay on the screen above the live lines; the rest is in the result. */
function lastingLine(event: RunEvent, layout: Layout): string {
  const text =
    event.type === 'warning'
      ? `warning: ${event.message}`
      : event.type === 'step-done' && event.outcome === 'failed'
        ? doneText(event)
        : ''
  return text === ''
    ? ''
    : `${cutEnd(inertLine(visible(text)), Math.max(40, layout.width) - 1, layout.unicode ? '…' : '...')}\n`
}
