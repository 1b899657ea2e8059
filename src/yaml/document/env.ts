import { isPair, isScalar, visit, type Node } from 'yaml'
import type { Problem } from '../../errors.js'
import { offsetOf, type YamlDocument } from './document.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Substitution {
  /** The values that hold something from the environment, with the text as it stands in the file. */
  readonly written: ReadonlyMap<Node, string>
  /** The values whose variable is missing: whatever else is wrong with them is no news. */
  readonly unresolved: ReadonlySet<Node>
  readonly filled: readonly Filled[]
  readonly problems: readonly Problem[]
}

/** A text that holds something from the environment. */
export interface Filled {
  /** The keys that it stands under, from the top. */
  readonly keys: readonly string[]
  /** As it stands in the file, with `${NAME}`, and as it is meant. */
  readonly written: string
  readonly text: string
  readonly values: readonly { readonly name: string; readonly value: string }[]
}

/**
 * Replaces `${NAME}` in every string value; `$${NAME}` stands for the literal `${NAME}`. This happens after parsing, so
 * that no variable can bring YAML of its own. Values never appear in a problem. Codes: MISSING_ENVIRONMENT at the very
 * variable, BAD_VALUE for the shell's `${NAME:-default}`, which would otherwise pass as text.
 */
export function substituteEnvironment(yaml: YamlDocument, environment: Environment): Substitution {
  const written = new Map<Node, string>()
  const unresolved = new Set<Node>()
  const problems: Problem[] = []
  const filled: Filled[] = []
  // Only an escape could make one that does not stand in the text.
  if (!/\$\{|\\/.test(yaml.text)) return { written, unresolved, filled, problems }
  visit(yaml.document, {
    Scalar(key, node, path) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return
      const original = node.value
      const values: { name: string; value: string }[] = []
      let searched = offsetOf(node)
      node.value = original.replace(reference, (whole: string, name: string, end: string) => {
        if (whole.startsWith('$$')) return whole.slice(1)
        const found = yaml.text.indexOf(whole, searched)
        const inside = found >= 0 && found < (node.range?.[1] ?? 0)
        const place = yaml.placeAt(inside ? found : offsetOf(node))
        if (inside) searched = found + whole.length
        const value = end === '}' ? environment[name] : undefined
        if (value !== undefined) {
          written.set(node, original)
          values.push({ name, value })
          return value
        }
        unresolved.add(node)
        problems.push(end === '}' ? missing(name, place) : { ...shellForm(name), place })
        return whole
      })
      if (values.length === 0 || typeof node.value !== 'string') return
      const keys = path.flatMap((one) => (isPair(one) && isScalar(one.key) ? [String(one.key.value)] : []))
      filled.push({ keys, written: original, text: node.value, values })
    },
  })
  return { written, unresolved, filled, problems }
}

/** Makes any text safe to be written into a file that is read with `substituteEnvironment`. */
export function escapeEnvironment(text: string): string {
  return text.replace(/\$\{(?=[A-Za-z_]\w*(\}|:?[-+?=]))/g, '$$$&')
}

const reference = /\$?\$\{([A-Za-z_]\w*)(\}|:?[-+?=])/g

function missing(name: string, place: Problem['place']): Problem {
  return {
    code: 'MISSING_ENVIRONMENT',
    message: `the environment variable ${name} is not set`,
    hint: `set ${name}, or write $\${${name}} for the literal text`,
    place,
  }
}

function shellForm(name: string): Problem {
  return {
    code: 'BAD_VALUE',
    message: `only \${${name}} is known, without a default or other shell syntax`,
    hint: `write \${${name}}, or $\${${name} for the literal text`,
  }
}
