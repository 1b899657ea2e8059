import type { Fact } from './foreign-facts.js'

/** Options of a program that start processes and threads, and the keys that they are. */
const programs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gunicorn: {
    '-w': 'runtime.workers',
    '--workers': 'runtime.workers',
    '--threads': 'runtime.threads',
    '-k': 'runtime.worker_class',
    '--worker-class': 'runtime.worker_class',
  },
  uvicorn: { '--workers': 'runtime.workers' },
  celery: { '-c': 'runtime.concurrency', '--concurrency': 'runtime.concurrency', '-P': 'runtime.worker_class' },
  puma: { '-w': 'runtime.workers', '--workers': 'runtime.workers', '-t': 'runtime.threads' },
  sidekiq: { '-c': 'runtime.concurrency', '--concurrency': 'runtime.concurrency' },
}

/**
 * What the command of a container starts, a text or a list of words: the kind of runtime, its processes and threads. Only the options above are read, of
 * the first program that is known; a value that is no number, such as `$WORKERS`, is left out. null where no program is known.
 */
export function commandFacts(command: unknown, source: string): readonly Fact[] | null {
  const words = wordsOf(command)
  const at = words.findIndex((word) => (word.split('/').at(-1) ?? '') in programs)
  const kind = words[at]?.split('/').at(-1) ?? ''
  const options = programs[kind]
  if (options === undefined) return null
  const facts: Fact[] = [{ key: 'runtime.kind', value: kind, source }]
  for (const [index, word] of words.entries()) {
    const [name = '', glued] = word.split('=', 2)
    const key = options[name]
    if (index < at || key === undefined) continue
    // puma has `-t 1:5`: at most five.
    const value = (glued ?? words[index + 1] ?? '').replace(/^\d+:/, '')
    if (key === 'runtime.worker_class' && /^[a-z_]+$/.test(value)) facts.push({ key, value, source })
    else if (/^\d+$/.test(value)) facts.push({ key, value: Number(value), source })
  }
  return facts
}

/** A shell's quotes inside a text are not taken apart: the options above need none. */
function wordsOf(command: unknown): readonly string[] {
  if (Array.isArray(command)) return command.flatMap(wordsOf)
  return typeof command === 'string' ? command.split(/\s+/) : []
}

/** Host, database and role of a URL of PostgreSQL, of JDBC too; null for other texts and for one with variables. */
export function hostOf(
  text: string,
): { readonly host: string; readonly database: string | null; readonly role: string | null } | null {
  const url = text.replace(/^jdbc:/, '').replace(/^postgres(ql)?(\+\w+)?:/, 'http:')
  if (url === text || !URL.canParse(url)) return null
  const { hostname, pathname, username } = new URL(url)
  if (/[{}$]|%7B/i.test(hostname + pathname + username)) return null
  const database = decodeURIComponent(pathname.slice(1))
  return { host: hostname, database: database === '' ? null : database, role: username === '' ? null : username }
}
