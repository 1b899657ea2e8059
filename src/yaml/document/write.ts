import { Document, isPair, isScalar, isSeq, Scalar, visit } from 'yaml'
import { escapeEnvironment } from './env.js'

/** What can be written: maps keep the order of their keys, also of keys such as "2". */
export type Writable = string | number | boolean | null | readonly Writable[] | ReadonlyMap<string, Writable>

/** A list or map is written in one line when that line is no longer than this. */
const flowWidth = 80

/** Block scalars would fold or lose these: carriage returns, tabs, control and format characters, space at line ends. */
const needsQuotes = /[^\P{C}\n]|[\u2028\u2029]|[ \t]$|^\s|\s$/mu

/**
 * YAML as a person would write it: the members of top-level lists as blocks, what is small within them in one line, long
 * SQL as a block of lines. `${NAME}` is escaped, so that `readYaml` gives the very same value back. `comment` stands at
 * the top, one `#` a line.
 */
export function writeYaml(value: ReadonlyMap<string, Writable>, comment?: string): string {
  const document = new Document(value)
  if (comment !== undefined) document.commentBefore = comment.replace(/^(?=.)/gm, ' ')
  visit(document, {
    Scalar(key, node) {
      if (typeof node.value !== 'string') return
      const text = key === 'key' ? node.value : escapeEnvironment(node.value)
      node.value = text
      // As a plain key it would merge another map.
      if (needsQuotes.test(text) || text === '<<') node.type = Scalar.QUOTE_DOUBLE
    },
    Collection(_, node, ancestors) {
      const depth = ancestors.filter((ancestor) => !isPair(ancestor)).length
      // The document itself is the first ancestor: 1 is its map, 2 a top-level list, 3 a member of it.
      const small = isSeq(node)
        ? depth > 3 || node.items.every((item) => isScalar(item))
        : depth > 3 && node.items.length <= 3
      node.flow = depth > 1 && small && fits(node.toJSON())
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function fits(value: unknown): boolean {
  const text = JSON.stringify(value)
  return text.length <= flowWidth && !text.includes('\\n')
}
