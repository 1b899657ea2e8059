import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { readCode, writeCode, type CodeFile, type Compiled } from './code-file.js'

/**
 * Runs perfdb's own modules of a folder, beginning with `main`, as Node would, but without its look-ups of a fifth of a millisecond each, and from what
 * V8 made of them in an earlier run where `file` holds that. What it does not hold is added to it when the process ends. `require` loads all others.
 */
export function runChunks(
  folder: string,
  main: string,
  require: (id: string) => unknown,
  file: CodeFile | undefined,
): void {
  const known = file === undefined ? new Map<string, never>() : readCode(file)
  const modules = new Map<string, { exports: unknown }>()
  const scripts = new Map<string, Omit<Compiled, 'data'> & { readonly script: Script }>()
  let news = false

  const load = (name: string): unknown => {
    const loaded = modules.get(name)
    if (loaded !== undefined) return loaded.exports
    const filename = join(folder, name)
    const { size, mtimeMs: changed } = statSync(filename)
    const code = known.get(name)?.()
    const cachedData = code?.size === size && code.changed === changed ? code.data : undefined
    const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, 'utf8')}\n})`
    const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) })
    news ||= cachedData === undefined || script.cachedDataRejected === true
    scripts.set(name, { size, changed, script })
    const module = { exports: {} }
    modules.set(name, module)
    const body: unknown = script.runInThisContext()
    if (typeof body === 'function')
      Reflect.apply(body, module.exports, [module.exports, requireFrom, module, filename, folder])
    return module.exports
  }
  const requireFrom = (id: string): unknown => (id.startsWith('./') ? load(id.slice(2)) : require(id))

  if (file !== undefined)
    process.on('exit', () => {
      if (news) writeCode(file, codeOf(known, scripts))
    })
  load(main)
}

/** What was there, and of what ran now all that V8 has by now: functions are compiled when they are first called. */
function codeOf(
  known: ReadonlyMap<string, () => Compiled | undefined>,
  scripts: ReadonlyMap<string, Omit<Compiled, 'data'> & { readonly script: Script }>,
): ReadonlyMap<string, Compiled> {
  const modules = new Map<string, Compiled>()
  for (const [name, read] of known) {
    const code = scripts.has(name) ? undefined : read()
    if (code !== undefined) modules.set(name, code)
  }
  for (const [name, { size, changed, script }] of scripts)
    modules.set(name, { size, changed, data: script.createCachedData() })
  return modules
}
