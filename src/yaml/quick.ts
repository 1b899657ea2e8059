import { Document, Pair, Scalar, YAMLMap, YAMLSeq, type Node } from 'yaml'

/*
 * Reads the YAML that most profiles and pools files are written in, several times as fast as the package, to the same nodes at the same places: block
 * maps and lists, flow collections and scalars of one line, block scalars. It knows what it does not know: at the first sign of anything else (anchors,
 * tags, merge keys, escapes, scalars over several lines, values left out, doubtful numbers, any mistake) there is no result, and the package reads the
 * whole text and says what is wrong with it. test/yaml/quick.test.ts holds the two against each other.
 */

/** Tabs, carriage returns, halves of surrogate pairs and what is not printable; more than one document; directives. */
const unusual = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe]|^(?:---|\.\.\.|%)/m
const keyPattern = /[A-Za-z$][\w$-]{0,100}(?=:[ \n])/y
const blockHeader = /([|>])(-?) *\n/y
const quoted = /'((?:[^'\n]|'')*)'|"([^"\\\n]*)"/y
const flowText = /[^,[\]{}\n]+/y
const plainStart = /^[\w$/(\u00c0-\ud7ff-]/
/** What the core schema of YAML 1.2 may take for a number, and what it takes for just this one. */
const numeric = /^-?(?:[\d.]+(?:e[-+]?\d*)?|0[xo][\da-f]*)$/i
const number = /^(?:0|-?[1-9]\d{0,14}|-?\d{1,8}\.\d{1,6})$/
const words: ReadonlyMap<string, boolean | null> = new Map([
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
])

/** The document of a text, or undefined where the package has to read it. */
export function quickDocument(text: string): Document | undefined {
  // What the end of a file means for a block scalar is left to the package.
  if (unusual.test(text) || !text.endsWith('\n')) return undefined
  try {
    const contents = contentsOf(text)
    const document = new Document(undefined, { merge: true, logLevel: 'error' })
    document.contents = contents
    return document
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Throws SyntaxError where it is unsure. Whatever reads a value goes on to the next line that says something. */
function contentsOf(text: string): Node {
  /** Where that line begins, how far it is indented (-1 after the last one), and where it says it. */
  let line = 0
  let indent = -1
  let at = 0
  let depth = 0
  nextLine()
  const contents = block()
  return indent < 0 ? contents : unsure()

  function nextLine(): void {
    for (; line < text.length; line = endOfLine(at) + 1) {
      for (at = line; text[at] === ' '; at += 1);
      indent = at - line
      if (text[at] !== '\n' && text[at] !== '#') return
    }
    indent = -1
  }

  function endOfLine(from: number): number {
    return text.indexOf('\n', from)
  }

  function isItem(): boolean {
    return text[at] === '-' && text[at + 1] === ' '
  }

  function block(): Node {
    return deeper(() => (isItem() ? blockList(indent) : blockMap(indent)))
  }

  /** The package says it where something is nested too deeply. */
  function deeper<T>(read: () => T): T {
    depth += 1
    if (depth > 30) unsure()
    const value = read()
    depth -= 1
    return value
  }

  function blockList(column: number): Node {
    const list = new YAMLSeq<Node>()
    const start = at
    while (indent === column && isItem()) {
      const from = skipSpaces(at + 1)
      keyPattern.lastIndex = from
      if (keyPattern.test(text)) {
        at = from
        list.items.push(blockMap(from - line))
      } else list.items.push(rest(from, column))
    }
    if (indent > column) unsure()
    return ranged(list, start, at)
  }

  /** The first key stands where the reader is, be that the begin of a line or behind the dash of a list. */
  function blockMap(column: number): Node {
    const map = new YAMLMap<Scalar, Node>()
    const start = at
    do {
      const key = keyHere(map)
      const from = skipSpaces(at)
      map.items.push(new Pair(key, text[from] === '\n' ? below(column) : rest(from, column)))
    } while (indent === column && !isItem())
    if (indent > column) unsure()
    return ranged(map, start, at)
  }

  /** Up to behind the colon. */
  function keyHere(map: YAMLMap<Scalar, Node>): Scalar {
    keyPattern.lastIndex = at
    const key = keyPattern.exec(text)?.[0]
    if (key === undefined || words.has(key) || map.items.some((pair) => pair.key.value === key)) return unsure()
    at += key.length + 1
    return scalar(key, key, at - key.length - 1, at - 1)
  }

  /** The value of a key that ends its line; a list may stand as far left as the key. */
  function below(column: number): Node {
    line = endOfLine(at) + 1
    nextLine()
    return indent > column || (indent === column && isItem()) ? block() : unsure()
  }

  /** A value that stands behind its key or dash, to the end of the line or of the block scalar. */
  function rest(from: number, column: number): Node {
    blockHeader.lastIndex = from
    const [, style, chomp] = blockHeader.exec(text) ?? []
    if (style !== undefined) return blockScalar(from, column, style === '>', chomp === '')
    const first = text[from] ?? ''
    const end = endOfLine(from)
    at = from
    const node = '[{\'"'.includes(first) ? flow() : plain(from, text.slice(from, end).replace(/ +(?:#.*)?$/, ''))
    if (!/^ *(?: #.*)?$/.test(text.slice(at, end))) unsure()
    line = end + 1
    nextLine()
    // More of it on the next line.
    return indent > column ? unsure() : node
  }

  function blockScalar(from: number, column: number, folded: boolean, newline: boolean): Node {
    line = endOfLine(from) + 1
    const lines: string[] = []
    let width = 0
    let end = line
    for (; line < text.length; line = endOfLine(line) + 1) {
      for (at = line; text[at] === ' '; at += 1);
      const blank = text[at] === '\n'
      if (blank ? lines.length === 0 || at - line > width : false) unsure()
      if (!blank && lines.length === 0) width = at - line
      if (!blank && at - line < width) break
      if (width <= column || (folded && !blank && at - line > width)) unsure()
      lines.push(blank ? '' : text.slice(line + width, endOfLine(line)))
      if (!blank) end = endOfLine(line)
    }
    while (lines.at(-1) === '') lines.pop()
    if (lines.length === 0) unsure()
    const joined = folded ? lines.join('\n').replace(/\n(\n*)/g, (_, more: string) => more || ' ') : lines.join('\n')
    const value = newline ? `${joined}\n` : joined
    nextLine()
    return indent > column ? unsure() : scalar(value, value, from, end)
  }

  function flow(): Node {
    const first = text[at]
    if (first === '[') return flowList()
    if (first === '{') return flowMap()
    quoted.lastIndex = at
    const [whole, single, double] = quoted.exec(text) ?? []
    if (whole !== undefined) {
      at += whole.length
      const value = single?.replaceAll("''", "'") ?? double ?? ''
      return scalar(value, value, at - whole.length, at)
    }
    flowText.lastIndex = at
    return plain(at, (flowText.exec(text)?.[0] ?? '').trimEnd())
  }

  function flowList(): Node {
    const list = new YAMLSeq<Node>()
    list.flow = true
    const start = at
    deeper(() => between(']', () => list.items.push(flow())))
    return ranged(list, start, at)
  }

  function flowMap(): Node {
    const map = new YAMLMap<Scalar, Node>()
    map.flow = true
    const start = at
    const entry = () => {
      const key = keyHere(map)
      at = skipSpaces(at)
      map.items.push(new Pair(key, flow()))
    }
    deeper(() => between('}', entry))
    return ranged(map, start, at)
  }

  function between(close: string, item: () => void): void {
    at = skipSpaces(at + 1)
    if (text[at] !== close)
      for (;;) {
        item()
        at = skipSpaces(at)
        if (text[at] === close) break
        if (text[at] !== ',') unsure()
        at = skipSpaces(at + 1)
      }
    at += 1
  }

  function plain(from: number, written: string): Node {
    at = from + written.length
    if (!plainStart.test(written) || /^-(?: |$)|: | #|:$/.test(written)) unsure()
    const word = words.get(written)
    if (word !== undefined) return scalar(word, written, from, at)
    if (number.test(written)) return scalar(Number(written), written, from, at)
    return numeric.test(written) ? unsure() : scalar(written, written, from, at)
  }

  function skipSpaces(from: number): number {
    let to = from
    while (text[to] === ' ') to += 1
    return to
  }
}

function scalar(value: unknown, source: string, start: number, end: number): Scalar {
  const node = new Scalar(value)
  node.source = source
  return ranged(node, start, end)
}

function ranged<N extends Node>(node: N, start: number, end: number): N {
  node.range = [start, end, end]
  return node
}

function unsure(): never {
  throw new SyntaxError('left to the package')
}
