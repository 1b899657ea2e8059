import { open, writeFile } from 'node:fs/promises'
import { errorDocument } from '../commands/error-document.js'
import { PerfdbError } from '../errors.js'
import type { Result } from '../report/render.js'
import type { Layout } from '../report/layout.js'
import type { Format, Report } from './options.js'

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

/** Every report file is opened before anything is done: a path that cannot be written must not be found after an hour's build. Throws BAD_OPTION. */
export async function checkReports(reports: readonly Report[]): Promise<void> {
  for (const { file } of reports) {
    try {
      await (await open(file, 'a')).close()
    } catch (cause) {
      throw new PerfdbError('BAD_OPTION', `the report ${file} cannot be written`, {
        detail: cause instanceof Error ? cause.message : undefined,
        hint: 'check folder and permissions',
        cause,
      })
    }
  }
}

/** The result alone goes to stdout, and to the report files. */
export async function printResult(result: Result, options: OutputOptions): Promise<void> {
  const { render } = await import('../report/render.js')
  for (const { format, file } of options.reports) {
    await writeFile(file, await render(result, format, fileLayout(options)))
  }
  process.stdout.write(await render(result, options.format, layoutOf(process.stdout, options)))
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
  if (options.format === 'json') process.stdout.write(await render(document, 'json', layoutOf(process.stdout, options)))
  else process.stderr.write(await render(document, 'text', layoutOf(process.stderr, options)))
  for (const { format, file } of options.reports) {
    const text = await render(document, format, fileLayout(options))
    await writeFile(file, text).catch(() => undefined)
  }
}

function fileLayout({ verbose }: OutputOptions): Layout {
  return { width: 120, color: false, unicode: true, verbose }
}
