const plainAscii = /^[ -~]*$/
// Unicode East Asian Width W and F (UAX 11), and what terminals draw as a picture.
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u
const zero = /[\p{Mn}\p{Me}\u1160-\u11ff]/u
// A name may hold an escape sequence or turn the direction of the line around: neither reaches the terminal.
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text on one line with nothing in it that moves the cursor: white space is one space, control characters show their code. */
export function visible(text: string): string {
  if (plainAscii.test(text)) return text
  return text.replace(/[\t\n\v\f\r]+/g, ' ').replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code >= 0xd800 && code <= 0xdfff ? '\ufffd' : `\\u{${code.toString(16)}}`
  })
}

/** Columns that a terminal gives the text, by code point as wcwidth does: two for wide characters, none for marks. */
export function widthOf(text: string): number {
  if (plainAscii.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += columnsOf(character)
  return columns
}

/** The text cut in its middle to at most `room` columns: names differ at their ends. */
export function cutMiddle(text: string, room: number, ellipsis: string): string {
  if (widthOf(text) <= room) return text
  const keep = room - widthOf(ellipsis)
  if (keep < 2) return headOf(text, room)
  const head = headOf(text, Math.ceil(keep / 2))
  return head + ellipsis + tailOf(text, keep - widthOf(head))
}

/** The text cut at its end to at most `room` columns. */
export function cutEnd(text: string, room: number, ellipsis: string): string {
  if (widthOf(text) <= room) return text
  const keep = room - widthOf(ellipsis)
  return keep < 1 ? headOf(text, room) : headOf(text, keep).trimEnd() + ellipsis
}

/** As much of the text as fits, up to where a name may be broken (after _ . / - , and the like), or as a whole where it cannot. */
export function partOf(text: string, room: number): string {
  const head = headOf(text, room)
  if (head.length === text.length) return head
  const whole = /^.*[_./\-,:;=&?)\s]/su.exec(head)?.[0] ?? ''
  return whole.trim() === '' ? head : whole
}

/** As many characters from the start as `room` columns hold, marks kept with their letter. */
export function headOf(text: string, room: number): string {
  let head = ''
  let columns = 0
  for (const character of text) {
    columns += columnsOf(character)
    if (columns > room) break
    head += character
  }
  return head
}

/** Spaces after the text up to `columns`. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

function tailOf(text: string, room: number): string {
  const characters = Array.from(text)
  let start = characters.length
  let columns = 0
  for (let at = characters.length - 1; at >= 0; at--) {
    const size = columnsOf(characters[at] ?? '')
    columns += size
    if (columns > room) break
    // A mark without its letter would sit on the ellipsis.
    if (size > 0) start = at
  }
  return characters.slice(start).join('')
}

function columnsOf(character: string): number {
  if (character >= ' ' && character <= '~') return 1
  if (zero.test(character)) return 0
  return wide.test(character) ? 2 : 1
}
