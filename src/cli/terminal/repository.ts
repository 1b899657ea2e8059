import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The same document with the file of each place as the repository names it, for what annotates a pull request. Its root is what GitHub or GitLab
 * says, else the nearest folder with a `.git`. Paths stay as they are where the run is at the root, or outside of any repository.
 */
export function withRepositoryPaths<Document>(document: Document, cwd: string, environment: Environment): Document {
  const folder = folderInRepository(cwd, environment)
  if (folder === '') return document
  // JSON has no other way to hold a place than an object of that shape.
  const text = JSON.stringify(document, (_, value: unknown) => (isPlace(value) ? placed(value, folder) : value))
  return JSON.parse(text)
}

function folderInRepository(cwd: string, environment: Environment): string {
  const here = real(cwd)
  const named = environment['GITHUB_WORKSPACE'] || environment['CI_PROJECT_DIR']
  const root = named === undefined || named === '' ? gitRoot(here) : real(named)
  if (root === undefined) return ''
  const folder = relative(root, here)
  return folder.startsWith('..') ? '' : folder.split(sep).join('/')
}

function gitRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

interface Placed {
  readonly file: string
  readonly line: number
  readonly column: number
}

function isPlace(value: unknown): value is Placed {
  if (typeof value !== 'object' || value === null) return false
  return 'file' in value && 'line' in value && 'column' in value && typeof value.file === 'string'
}

function placed(place: Placed, folder: string): Placed & { readonly toJSON?: never } {
  const absolute = place.file.startsWith('/') || /^[a-z]:|^[a-z]+:\/\//i.test(place.file)
  return absolute ? place : { ...place, file: posix.normalize(posix.join(folder, place.file)) }
}
