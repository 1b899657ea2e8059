import { fstatSync, writeSync } from 'node:fs'
import { errorDocument } from '../../result/error-document.js'
import { PerfdbError } from '../../errors.js'
import { reasonOf } from '../../profile/files/text-file.js'
import type { Layout } from '../../report/block/layout.js'
import { writeText } from '../../actions/files/files.js'
import type { Report } from '../../options/readers.js'
import type { Result } from '../../result/results.js'
import type { Format } from '../../options/rows/formats.js'

export interface OutputOptions {
  readonly format: Format
  readonly reports: readonly Report[]
  readonly color: 'auto' | 'always' | 'never'
  readonly verbose: boolean
}

/**
 * What cannot be written ends no work: a full disk, a terminal that is gone. A reader that closes the pipe early, such as `head`, has
 * seen what it wanted; anything else on stdout is a result that was lost, and `lostOutput` says so at the end.
 */
export function surviveLostStreams(): void {
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error
  })
}

let lost: Error | undefined

/** To stdout. A file is written to its end here: Node takes what went into a disk that is nearly full for all of it. */
export function writeResult(text: string): void {
  if (!fstatSync(1).isFile()) {
    process.stdout.write(text)
    return
  }
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
  } catch (error) {
    lost ??= error instanceof Error ? error : new Error(String(error))
  }
}

/** After everything is written: why stdout does not hold all of it, as OUTPUT_LOST; undefined when it does. */
export async function lostOutput(): Promise<PerfdbError | undefined> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  // The stream tells of its error a moment after the callback of the write.
  await new Promise((resolve) => setImmediate(resolve))
  return lost === undefined ? undefined : outputLostError('stdout', lost)
}

function outputLostError(where: string, cause: unknown): PerfdbError {
  return new PerfdbError('OUTPUT_LOST', `the result could not be written to ${where}: ${reasonOf(cause)}`, { cause })
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
  const uncut = !terminal && (environment['COLUMNS'] ?? '') === ''
  return { width, color, unicode, verbose: options.verbose, ...(uncut ? { uncut } : {}) }
}

/** The result alone goes to stdout, then to the report files: to all that can be written. Returns OUTPUT_LOST for each that cannot. */
export async function printResult(result: Result, options: OutputOptions): Promise<readonly PerfdbError[]> {
  writeResult(await rendered(result, options.format, layoutOf(process.stdout, options)))
  const failures: PerfdbError[] = []
  for (const { format, file } of options.reports) {
    const text = await rendered(result, format, fileLayout(options))
    await writeText(file, text).catch((error: unknown) => {
      failures.push(outputLostError(file, error instanceof PerfdbError ? error.cause : error))
    })
  }
  await appendStepSummary(result, options)
  return failures
}

/** OUTPUT_LOST on stderr, where somebody may see it. */
export async function printLost(error: PerfdbError, command: string, code: number): Promise<void> {
  const { render } = await import('../../report/render.js')
  const layout = layoutOf(process.stderr, { color: 'auto', verbose: false })
  process.stderr.write(await render(errorDocument(error, command, code), 'text', layout))
}

/** An error as the format wants it: text on stderr, a document on stdout for a program that reads one. */
export async function printError(
  error: PerfdbError,
  command: string,
  exitCode: number,
  options: OutputOptions,
): Promise<void> {
  const document = errorDocument(error, command, exitCode)
  if (forPrograms.has(options.format))
    writeResult(await rendered(document, options.format, layoutOf(process.stdout, options)))
  if (options.format !== 'json' && options.format !== 'jsonl')
    process.stderr.write(await rendered(document, 'text', layoutOf(process.stderr, options)))
  for (const { format, file } of options.reports) {
    const text = await rendered(document, format, fileLayout(options))
    await writeText(file, text).catch(() => undefined)
  }
  await appendStepSummary(document, options)
}

/** Files in annotations are those of the repository: of a run in a folder of it, the folder stands in front. */
const inRepository: ReadonlySet<Format> = new Set(['sarif', 'github', 'gitlab', 'junit'])

async function rendered(result: Result, format: Format, layout: Layout): Promise<string> {
  const { render } = await import('../../report/render.js')
  if (!inRepository.has(format)) return render(result, format, layout)
  const { withRepositoryPaths } = await import('./repository.js')
  return render(withRepositoryPaths(result, process.cwd(), process.env), format, layout)
}

const forPrograms: ReadonlySet<Format> = new Set(['json', 'jsonl', 'html', 'junit', 'sarif', 'github', 'gitlab'])

/** With the format github the markdown goes to the summary of the job's step, where there is one; a summary that cannot be written fails no run. */
async function appendStepSummary(result: Result, options: OutputOptions): Promise<void> {
  const file = process.env['GITHUB_STEP_SUMMARY'] ?? ''
  if (file === '' || ![options.format, ...options.reports.map(({ format }) => format)].includes('github')) return
  const [{ render }, { stepSummary }, { appendFile }] = await Promise.all([
    import('../../report/render.js'),
    import('../../report/machine/github.js'),
    import('node:fs/promises'),
  ])
  const markdown = await render(result, 'markdown', fileLayout(options))
  await appendFile(file, stepSummary(markdown)).catch(() => undefined)
}

function fileLayout({ verbose }: OutputOptions): Layout {
  return { width: 120, color: false, unicode: true, verbose }
}
