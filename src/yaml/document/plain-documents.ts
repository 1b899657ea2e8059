import { LineCounter, isNode, parseAllDocuments } from 'yaml'
import { offsetOf } from './document.js'

/** A document of somebody else's file: its value as it is, and the line of a path, from 1. */
export interface PlainDocument {
  readonly value: unknown
  readonly lineOf: (path: readonly (string | number)[]) => number
}

/** Every document of a YAML text that has no schema of ours; those that are no YAML are left out and counted by their message. */
export function plainDocuments(text: string): {
  readonly documents: readonly PlainDocument[]
  readonly errors: readonly { readonly line: number; readonly message: string }[]
} {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' })
  const all = 'empty' in parsed ? [] : parsed
  const line = (offset: number) => Math.max(1, lines.linePos(Math.max(0, offset)).line)
  return {
    documents: all
      .filter(({ errors }) => errors.length === 0)
      .map((document) => ({
        value: document.toJS(),
        lineOf: (path) => {
          const node = document.getIn(path, true)
          return line(offsetOf(isNode(node) ? node : document.contents))
        },
      })),
    errors: all.flatMap(({ errors: [first] }) =>
      first === undefined ? [] : [{ line: line(first.pos[0]), message: first.message }],
    ),
  }
}
