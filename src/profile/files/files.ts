import { readdirSync, statSync, type Dirent } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import type { Problem } from '../../errors.js'
import { nearest } from '../../text/nearest.js'
import { isMissing, isUrl, notFound, readTextFile, unreadable } from './text-file.js'

/** A file's path, or its text with the name that places show. */
export type Named = string | GivenFile

export interface GivenFile {
  readonly file: string
  readonly text: string
}

export function nameOf(named: Named): string {
  return typeof named === 'string' ? named : named.file
}

export interface FoundFile {
  /** As messages show it: the way it was named, or below the folder as it was named. */
  readonly file: string
  readonly path: string
  /** Named itself, not found in a folder or by a glob: then it must be what is looked for. */
  readonly named: boolean
  /** Given, not read from the disk. */
  readonly text?: string
}

export interface FoundFiles {
  readonly files: readonly FoundFile[]
  readonly problems: readonly Problem[]
}

/**
 * The files that paths name: a file, a folder (those of its files that end in one of `endings`, no deeper), or a glob
 * with `*`, `?` and `**`. Each file once, in the order of the paths, sorted within each. Problems: FILE_NOT_FOUND,
 * FILE_UNREADABLE. Reads names only.
 */
export function findFiles(paths: readonly Named[], cwd: string, endings: readonly string[]): FoundFiles {
  const found = paths.map((path) => findOne(path, cwd, endings))
  const files = new Map<string, FoundFile>()
  for (const file of found.flatMap((each) => each.files)) {
    const before = files.get(file.path)
    if (before === undefined || (file.named && !before.named)) files.set(file.path, file)
  }
  return { files: [...files.values()], problems: found.flatMap((each) => each.problems) }
}

/** The text of a file; the problem when it cannot be read or is not UTF-8. */
export async function readText(found: FoundFile): Promise<{ text: string } | { problem: Problem }> {
  return found.text === undefined ? readTextFile(found.path, found.file) : { text: found.text }
}

function findOne(path: Named, cwd: string, endings: readonly string[]): FoundFiles {
  if (typeof path !== 'string')
    return { files: [{ ...path, path: resolve(cwd, path.file), named: true }], problems: [] }
  const absolute = resolve(cwd, path)
  try {
    const status = statSync(absolute)
    if (!status.isDirectory()) return { files: [{ file: path, path: absolute, named: true }], problems: [] }
    const entries = readdirSync(absolute, { withFileTypes: true })
    const names = entries
      .filter((entry) => !entry.isDirectory() && hasEnding(entry.name, endings))
      .map(({ name }) => name)
    return foundBelow(
      names.toSorted().map((name) => join(path, name)),
      cwd,
      { code: 'FILE_NOT_FOUND', message: `no ${endings.join(', ')} file in the folder ${path}` },
    )
  } catch (error) {
    const isGlob = /[*?]/.test(path) && !isUrl(path)
    if (!isMissing(error) || !isGlob)
      return { files: [], problems: [withNearest(unreadable(path, error), path, absolute, endings)] }
    const root = isAbsolute(path) ? '/' : ''
    const matches = matching(
      root,
      path.split('/').filter((part) => part !== '' && part !== '.'),
      cwd,
    )
    return foundBelow(
      [...new Set(matches)].filter((file) => hasEnding(file, endings)).toSorted(),
      cwd,
      notFound(`no file matches ${path}`, path),
    )
  }
}

/** What is missing may be there by nearly that name: my.yaml for my.yml. */
function withNearest(problem: Problem, path: string, absolute: string, endings: readonly string[]): Problem {
  if (problem.code !== 'FILE_NOT_FOUND' || problem.hint !== undefined) return problem
  const names = entriesOf(dirname(absolute)).flatMap((entry) => (entry.isDirectory() ? [] : entry.name))
  const found = nearest(
    basename(path),
    names.filter((name) => hasEnding(name, endings)),
  )
  if (found === undefined) return problem
  return { ...problem, message: `${problem.message}: did you mean ${join(dirname(path), found)}?` }
}

/** None of a folder that cannot be looked into. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function foundBelow(files: readonly string[], cwd: string, nothing: Problem): FoundFiles {
  if (files.length === 0) return { files: [], problems: [nothing] }
  return { files: files.map((file) => ({ file, path: resolve(cwd, file), named: false })), problems: [] }
}

/** perfdb.yaml is the config of perfdb itself, *.schema.json and other files are for editors. */
function hasEnding(file: string, endings: readonly string[]): boolean {
  return endings.some((ending) => file.toLowerCase().endsWith(ending)) && !/^perfdb\.ya?ml$/i.test(basename(file))
}

/** Walks no symbolic links of folders, no hidden folders and no node_modules, as a shell's glob with globstar. */
function matching(folder: string, parts: readonly string[], cwd: string): readonly string[] {
  const [part, ...rest] = parts
  if (part === undefined) return []
  if (!/[*?]/.test(part))
    return rest.length > 0 ? matching(join(folder, part), rest, cwd) : existing(join(folder, part), cwd)
  const entries = entriesOf(resolve(cwd, folder))
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
  if (part === '**') {
    const here =
      rest.length > 0
        ? matching(folder, rest, cwd)
        : entries.filter((entry) => !entry.isDirectory()).map(({ name }) => join(folder, name))
    return [...here, ...folders.flatMap(({ name }) => matching(join(folder, name), parts, cwd))]
  }
  const pattern = new RegExp(
    `^${part
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
  if (rest.length === 0)
    return entries
      .filter((entry) => !entry.isDirectory() && pattern.test(entry.name))
      .map(({ name }) => join(folder, name))
  return folders.filter(({ name }) => pattern.test(name)).flatMap(({ name }) => matching(join(folder, name), rest, cwd))
}

function existing(file: string, cwd: string): readonly string[] {
  try {
    return statSync(resolve(cwd, file)).isDirectory() ? [] : [file]
  } catch {
    return []
  }
}
