import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** A fenced block of a page: what stands behind its fence (`console`), its lines, and the line of the file that its fence is in. */
export interface Block {
  readonly line: number
  readonly language: string
  readonly text: string
}

/** A page that somebody wrote. `npm run readme` writes the others, and test/readme.test.ts holds them. */
export interface Page {
  /** From the top of the repository, `docs/ci.md`. */
  readonly name: string
  readonly text: string
  readonly blocks: readonly Block[]
}

const generated = ['commands.md', 'troubleshooting.md']

/** README.md and docs/*.md. */
export async function readPages(): Promise<readonly Page[]> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md') && !generated.includes(name))
  return Promise.all(['README.md', ...docs.map((name) => `docs/${name}`)].map(readPage))
}

async function readPage(name: string): Promise<Page> {
  const text = await readFile(join(root, name), 'utf8')
  const blocks = [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(({ index, 1: language = '', 2: lines = '' }) => ({
    line: text.slice(0, index).split('\n').length,
    language,
    text: lines,
  }))
  return { name, text, blocks }
}

/** A command of a console block without its `$ ` and the comment behind it, and the output that the page shows for it. */
export interface Typed {
  readonly command: string
  readonly output: readonly string[]
}

/** The commands of a block in which each begins with `$ `. */
export function typedIn({ text }: Block): readonly Typed[] {
  return text
    .split(/^\$ /m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [first = '', ...output] = part.trimEnd().split('\n')
      return { command: first.replace(/\s+#.*$/, ''), output }
    })
}

/** The lines of `said` are those of `shown`, in which a line `...` stands for any number of lines. */
export function isAsShown(shown: readonly string[], said: readonly string[]): boolean {
  const [first, ...rest] = shown
  if (first === undefined) return said.length === 0
  if (first === '...') return said.some((_, at) => isAsShown(rest, said.slice(at))) || rest.length === 0
  return said[0] === first && isAsShown(rest, said.slice(1))
}
