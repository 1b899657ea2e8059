import { fstatSync, writeSync } from 'node:fs'
import { errorDocument } from '../../result/error-document.js'
import { PerfdbError } from '../../errors.js'
import { pathFrom, reasonOf } from '../../profile/files/text-file.js'
import type { Layout } from '../../report/block/layout.js'
import { writeText } from '../../actions/files/files.js'
import type { Report } from '../../options/readers.js'
import type { Result } from '../../result/results.js'
import type { Outside, OutputStream, Streams } from '../../settings/outside.js'
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
export function surviveLostStreams({ stdout, stderr }: Streams): void {
  stderr.on('error', () => undefined)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lose(stdout, error)
  })
}

/** Why the first of what did not arrive was lost, by stdout. */
const lost = new WeakMap<OutputStream, Error>()

function lose(stdout: OutputStream, error: Error): void {
  if (!lost.has(stdout)) lost.set(stdout, error)
}

/** To stdout. A file is written to its end here: Node takes what went into a disk that is nearly full for all of it. */
export function writeResult(stdout: OutputStream, text: string): void {
  const { fd } = stdout
  if (fd === undefined || !fstatSync(fd).isFile()) {
    stdout.write(text)
    return
  }
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
  } catch (error) {
    lose(stdout, error instanceof Error ? error : new Error(String(error)))
  }
}

/** After everything is written: why stdout does not hold all of it, as OUTPUT_LOST; undefined when it does. */
export async function lostOutput(stdout: OutputStream): Promise<PerfdbError | undefined> {
  await new Promise<void>((written) => stdout.write('', () => written()))
  // The stream tells of its error a moment after the callback of the write.
  await new Promise((later) => setImmediate(later))
  const cause = lost.get(stdout)
  return cause === undefined ? undefined : outputLostError('stdout', cause)
}

function outputLostError(where: string, cause: unknown): PerfdbError {
  return new PerfdbError('OUTPUT_LOST', `the result could not be written to ${where}: ${reasonOf(cause)}`, { cause })
}

/** Width, colour and character set for a stream: a terminal decides, NO_COLOR and TERM=dumb are honoured, a pipe gets 80 columns plain. */
export function layoutOf(
  { environment, streams }: Pick<Outside, 'environment' | 'streams'>,
  name: 'stdout' | 'stderr',
  options: Pick<OutputOptions, 'color' | 'verbose'>,
): Layout {
  const { isTTY: terminal = false, columns = 80 } = streams[name]
  const plain = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  const color = options.color === 'always' || (options.color === 'auto' && terminal && !plain)
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  const unicode = terminal ? environment['TERM'] !== 'dumb' && /utf-?8/i.test(locale) : !/^(C|POSIX)$/.test(locale)
  const width = terminal ? columns : Number(environment['COLUMNS']) || 80
  const uncut = !terminal && (environment['COLUMNS'] ?? '') === ''
  return { width, color, unicode, verbose: options.verbose, ...(uncut ? { uncut } : {}) }
}

/** The result alone goes to stdout, then to the report files: to all that can be written. Returns OUTPUT_LOST for each that cannot. */
export async function printResult(
  outside: Outside,
  result: Result,
  options: OutputOptions,
): Promise<readonly PerfdbError[]> {
  await writeDocument(outside, result, options)
  return writeReports(outside, result, options)
}

/** OUTPUT_LOST on stderr, where somebody may see it. */
export async function printLost(outside: Outside, error: PerfdbError, command: string, code: number): Promise<void> {
  await tell(outside, errorDocument(error, command, code), { color: 'auto', verbose: false })
}

/** An error as the format wants it: text on stderr, a document on stdout for a program that reads one. */
export async function printError(
  outside: Outside,
  error: PerfdbError,
  command: string,
  exitCode: number,
  options: OutputOptions,
): Promise<void> {
  const document = errorDocument(error, command, exitCode)
  if (forPrograms.has(options.format)) await writeDocument(outside, document, options)
  if (options.format !== 'json' && options.format !== 'jsonl') await tell(outside, document, options)
  await writeReports(outside, document, options)
}

async function writeDocument(outside: Outside, document: Result, options: OutputOptions): Promise<void> {
  const layout = layoutOf(outside, 'stdout', options)
  writeResult(outside.streams.stdout, await rendered(outside, document, options.format, layout))
}

async function tell(
  outside: Outside,
  document: Result,
  options: Pick<OutputOptions, 'color' | 'verbose'>,
): Promise<void> {
  outside.streams.stderr.write(await rendered(outside, document, 'text', layoutOf(outside, 'stderr', options)))
}

async function writeReports(
  outside: Outside,
  document: Result,
  options: OutputOptions,
): Promise<readonly PerfdbError[]> {
  const failures: PerfdbError[] = []
  for (const { format, file } of options.reports) {
    const text = await rendered(outside, document, format, fileLayout(options))
    await writeText(file, text, outside.cwd).catch((error: unknown) => {
      failures.push(outputLostError(file, error instanceof PerfdbError ? error.cause : error))
    })
  }
  await appendStepSummary(outside, document, options)
  return failures
}

/** Files in annotations are those of the repository: of a run in a folder of it, the folder stands in front. */
const inRepository: ReadonlySet<Format> = new Set(['sarif', 'github', 'gitlab', 'junit'])

async function rendered(outside: Outside, result: Result, format: Format, layout: Layout): Promise<string> {
  const { render } = await import('../../report/render.js')
  if (!inRepository.has(format)) return render(result, format, layout)
  const { withRepositoryPaths } = await import('./repository.js')
  return render(withRepositoryPaths(result, outside.cwd, outside.environment), format, layout)
}

const forPrograms: ReadonlySet<Format> = new Set(['json', 'jsonl', 'html', 'junit', 'sarif', 'github', 'gitlab'])

/** With the format github the markdown goes to the summary of the job's step, where there is one; a summary that cannot be written fails no run. */
async function appendStepSummary({ cwd, environment }: Outside, result: Result, options: OutputOptions): Promise<void> {
  const file = environment['GITHUB_STEP_SUMMARY'] ?? ''
  if (file === '' || ![options.format, ...options.reports.map(({ format }) => format)].includes('github')) return
  const [{ render }, { stepSummary }, { appendFile }] = await Promise.all([
    import('../../report/render.js'),
    import('../../report/machine/github.js'),
    import('node:fs/promises'),
  ])
  const markdown = await render(result, 'markdown', fileLayout(options))
  await appendFile(pathFrom(cwd, file), stepSummary(markdown)).catch(() => undefined)
}

function fileLayout({ verbose }: OutputOptions): Layout {
  return { width: 120, color: false, unicode: true, verbose }
}
