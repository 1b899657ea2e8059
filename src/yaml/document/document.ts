import {
  isAlias,
  isCollection,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type ErrorCode,
  type Node,
  type Scalar,
} from 'yaml'
import type { Place, Problem } from '../../errors.js'

export interface YamlDocument {
  readonly file: string
  readonly text: string
  readonly document: Document.Parsed
  readonly placeAt: (offset: number) => Place
  /** Numbers that JavaScript would round, and so are text in the document, with what they would be rounded to. */
  readonly rounded: ReadonlyMap<Node, number>
}

/**
 * Parses one YAML 1.2 document with positions. Problems (BAD_YAML, and BAD_VALUE for what PostgreSQL cannot hold) come
 * with their place; the document is only worth reading when there are none. https://yaml.org/spec/1.2.2/
 */
export function parseYaml(text: string, file: string): { yaml: YamlDocument; problems: readonly Problem[] } {
  // A byte-order mark is no part of the first line: with it every column there would be one too many.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' })
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.max(0, offset))
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const rounded = new Map<Node, number>()
  const yaml = { file, text: source, document, placeAt, rounded }
  const syntax = [...document.errors, ...document.warnings]
    .map((error): Problem => {
      const { message, pos, code } = error
      if (/\$\{\w*$/.test(source.slice(0, pos[0] + 1)) && code === 'UNEXPECTED_TOKEN')
        return {
          code: 'BAD_YAML',
          message: 'inside [ ] and { } a ${NAME} must be in quotes',
          place: placeAt(pos[0] - 1),
        }
      return { code: 'BAD_YAML', message: messageOf(code, message, source.slice(pos[0])), place: placeAt(pos[0]) }
    })
    // What follows the first error of a line is mostly its echo.
    .filter(({ place }, index, all) => all.findIndex((other) => other.place?.line === place?.line) === index)
  return { yaml, problems: syntax.length > 0 ? syntax : contentProblems(yaml, rounded) }
}

/** The offset where a node starts; 0 for one that was made, not parsed. */
export function offsetOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0
}

function messageOf(code: ErrorCode, message: string, rest: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${/^[^:\n]*/.exec(rest)?.[0].trim()} is given twice`
  if (code === 'MULTIPLE_DOCS') return 'the file holds several documents (---): give each a file of its own'
  if (code === 'TAB_AS_INDENT') return 'tabs cannot indent YAML: use spaces'
  if (code === 'TAG_RESOLVE_FAILED') return `tags are not known here: ${message.replace(/^.*: /, '')}`
  if (message.startsWith('Maximum call stack')) return 'nested too deeply'
  if (message.startsWith('Nested mappings are not allowed in compact'))
    return 'a second key on one line: put a value that holds ": " in quotes, or fix the indentation of the next line'
  return message.replace(/\s+/g, ' ')
}

function contentProblems({ document, placeAt, file }: YamlDocument, rounded: Map<Node, number>): readonly Problem[] {
  if (document.contents === null) {
    const place = { file, line: 1, column: 1 }
    return [{ code: 'BAD_YAML', message: 'the file is empty', hint: 'perfdb init writes a first one', place }]
  }
  const problems: Problem[] = []
  const add = (code: 'BAD_YAML' | 'BAD_VALUE', message: string, node: Node) =>
    problems.push({ code, message, place: placeAt(offsetOf(node)) })
  visit(document, {
    Node(key, node) {
      if (isAlias(node) && node.resolve(document) === undefined) add('BAD_YAML', `no anchor &${node.source}`, node)
      if (key === 'key' && isCollection(node)) add('BAD_YAML', 'a key must be text', node)
      if (isScalar(node)) keepExact(node, rounded)
      if (isScalar(node) && typeof node.value === 'string' && /\0|\p{Surrogate}/u.test(node.value))
        add('BAD_VALUE', 'PostgreSQL text holds neither NUL characters nor halves of surrogate pairs', node)
      // JavaScript objects would swallow such a key, and zod with them.
      if (key === 'key' && isScalar(node) && node.value === '__proto__') add('BAD_VALUE', 'not a usable key', node)
    },
  })
  return problems
}

/** Numbers that JavaScript cannot hold (a bigint parameter, a numeric of 20 digits) go on as the text they were. */
function keepExact(node: Scalar, rounded: Map<Node, number>): void {
  const { value, source } = node
  if (typeof value !== 'number' || source === undefined) return
  const exact = /^0[xo]/.test(source) ? Number.isSafeInteger(value) : digitsOf(source) === digitsOf(String(value))
  if (exact) return
  rounded.set(node, value)
  node.value = source
}

function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replace(/[^0-9]/g, '')
    .replace(/^0+|0+$/g, '')
}
