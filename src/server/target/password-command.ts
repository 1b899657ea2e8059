import { PerfdbError } from '../../errors.js'

/** For whom the password is asked: the command finds it as PGHOST, PGPORT, PGUSER and PGDATABASE. */
export interface PasswordFor {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

/** Tools of clouds answer within a few seconds, or hang. */
const patienceMs = 30_000
const longestAnswer = 65_536

/**
 * The first line that the command prints, as a password of a few minutes' life: asked for each connection. Run without a shell, its output is kept
 * from everybody: neither a message nor a cause holds any of it. Throws PASSWORD_COMMAND.
 */
export async function askPasswordCommand(
  words: readonly string[],
  { host, port, user, database }: PasswordFor,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [program = '', ...args] = words
  const env = { ...environment, PGHOST: host, PGPORT: String(port), PGUSER: user, PGDATABASE: database }
  const { spawn } = await import('node:child_process')
  const child = spawn(program, args, { env, shell: false, stdio: ['ignore', 'pipe', 'ignore'] })
  let answer = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (answer.length <= longestAnswer) answer += text
  })
  const failure = await new Promise<string | null>((resolve) => {
    // What it has started may hold its output open for longer than it lives.
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      child.stdout.destroy()
      resolve(`did not end within ${patienceMs / 1000} s`)
    }, patienceMs)
    const ended = (text: string | null) => {
      clearTimeout(timer)
      resolve(text)
    }
    child.once('error', (error) => ended(reasonOf(error)))
    child.once('close', (code, signal) =>
      ended(code === 0 ? null : signal === null ? `ended with exit code ${code ?? '?'}` : `was ended by ${signal}`),
    )
  })
  const line = /^[^\r\n\0]*/.exec(answer)?.[0] ?? ''
  const tooMuch = answer.length > longestAnswer ? 'printed far more than a password' : null
  const wrong = failure ?? tooMuch ?? (line === '' ? 'printed no password' : null)
  if (wrong === null) return line
  throw new PerfdbError('PASSWORD_COMMAND', `the password command ${program} ${wrong}`, {
    hint: 'run it by hand, with PGHOST, PGPORT, PGUSER and PGDATABASE set: its output is not shown here',
  })
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'was not found'
  return code === 'EACCES' ? 'may not be run' : `could not be run (${code})`
}

/** `aws rds "a b"` as its words; quotes hold white space together, and nothing else means anything. Throws BAD_OPTION. */
export function commandWords(text: string): readonly string[] {
  if (text.trimStart().startsWith('[')) return listOf(text)
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  const quotes = text.replaceAll(/"[^"]*"|'[^']*'/g, '')
  if (words.length === 0 || /["']/.test(quotes)) throw refused()
  return words.map((word) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  )
}

/** A list of perfdb.yaml comes as JSON: its words are what they are. */
function listOf(text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === 'string')) return list
  } catch {
    // Said below.
  }
  throw refused()
}

function refused(): PerfdbError {
  return new PerfdbError('BAD_OPTION', 'the password command cannot be read', {
    hint: 'a program and its arguments, as in: aws rds generate-db-auth-token --hostname db.example; or a list of them',
  })
}
