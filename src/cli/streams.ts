import { errorDocument } from '../result/error-document.js'
import type { PerfdbError } from '../errors.js'
import type { Layout } from '../report/block/layout.js'
import { writeText } from './files.js'
import type { Format, Report } from './options.js'
import type { Result } from '../result/results.js'

export interface OutputOptions {
  readonly format: Format
  readonly reports: readonly Report[]
  readonly color: 'auto' | 'always' | 'never'
  readonly verbose: boolean
}

/** A reader that closes the pipe early, such as `head`, ends perfdb quietly: nobody is left to tell. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

/** Width, colour and character set for a stream: a terminal decides, NO_COLOR and TERM=dumb are honoured, a pipe gets 80 columns plain. */
export function layoutOf(stream: NodeJS.WriteStream, options: Pick<OutputOptions, 'color' | 'verbose'>): Layout {
  const environment = process.env
  const terminal = stream.isTTY
  const plain = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  const color = options.color === 'always' || (options.color === 'auto' && terminal && !plain)
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  const unicode = terminal ? environment['TERM'] !== 'dumb' && /utf-?8/i.test(locale) : !/^(C|POSIX)$/.test(locale)
  const width = terminal ? stream.columns : Number(environment['COLUMNS']) || 80
  return { width, color, unicode, verbose: options.verbose }
}

/** The result alone goes to stdout, then to the report files: to all that can be written, then BAD_OPTION for the first that cannot. */
export async function printResult(result: Result, options: OutputOptions): Promise<void> {
  const { render } = await import('../report/render.js')
  process.stdout.write(await render(result, options.format, layoutOf(process.stdout, options)))
  const failures: unknown[] = []
  for (const { format, file } of options.reports) {
    const text = await render(result, format, fileLayout(options))
    await writeText(file, text).catch((error: unknown) => failures.push(error))
  }
  await appendStepSummary(result, options)
  if (failures.length > 0) throw failures[0]
}

/** An error as the format wants it: text on stderr, a document on stdout for a program that reads one. */
export async function printError(
  error: PerfdbError,
  command: string,
  exitCode: number,
  options: OutputOptions,
): Promise<void> {
  const { render } = await import('../report/render.js')
  const document = errorDocument(error, command, exitCode)
  if (forPrograms.has(options.format))
    process.stdout.write(await render(document, options.format, layoutOf(process.stdout, options)))
  if (options.format !== 'json' && options.format !== 'jsonl')
    process.stderr.write(await render(document, 'text', layoutOf(process.stderr, options)))
  for (const { format, file } of options.reports) {
    const text = await render(document, format, fileLayout(options))
    await writeText(file, text).catch(() => undefined)
  }
  await appendStepSummary(document, options)
}

const forPrograms: ReadonlySet<Format> = new Set(['json', 'jsonl', 'html', 'junit', 'sarif', 'github', 'gitlab'])

/** With the format github the markdown goes to the summary of the job's step, where there is one; a summary that cannot be written fails no run. */
async function appendStepSummary(result: Result, options: OutputOptions): Promise<void> {
  const file = process.env['GITHUB_STEP_SUMMARY'] ?? ''
  if (file === '' || ![options.format, ...options.reports.map(({ format }) => format)].includes('github')) return
  const [{ render }, { stepSummary }, { appendFile }] = await Promise.all([
    import('../report/render.js'),
    import('../report/machine/github.js'),
    import('node:fs/promises'),
  ])
  const markdown = await render(result, 'markdown', fileLayout(options))
  await appendFile(file, stepSummary(markdown)).catch(() => undefined)
}

function fileLayout({ verbose }: OutputOptions): Layout {
  return { width: 120, color: false, unicode: true, verbose }
}
