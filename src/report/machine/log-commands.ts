import type { Format } from '../../options/rows/formats.js'

/*
 * Text of a server or a file may look like a command to whoever reads the log: GitHub's runner takes `::name` at the start of a line, white
 * space before it trimmed, and `##[name]` anywhere in one; Azure's takes `##vso[`. The log shows them with one character by its code.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

/** A line of a log that commands nothing. */
export function inertLine(line: string): string {
  return line.replace(/^(\s*):(?=:)/, '$1\\u{3a}').replace(/##(?=\[|vso\[)/g, '#\\u{23}')
}

/** A rendered document that commands nothing when it goes to a log; as a document it says the same. */
export function inert(text: string, format: Format): string {
  switch (format) {
    case 'json':
    case 'jsonl':
    case 'sarif':
    case 'gitlab':
      return inertJson(text)
    case 'html':
    case 'junit':
      return text.replace(/^(\s*):(?=:)/gm, '$1&#58;').replace(/##(?=\[|vso\[)/g, '#&#35;')
    // Its lines are commands, their texts escaped.
    case 'github':
      return text.replace(/##(?=\[|vso\[)/g, '#%23')
    // A script is run as it is: only what it comments on is text.
    case 'sql':
      return text
        .split('\n')
        .map((line) => (line.startsWith('--') ? inertLine(line) : line))
        .join('\n')
    case 'markdown':
    case 'text':
    case 'prometheus':
      return text.split('\n').map(inertLine).join('\n')
  }
}

/** Such signs, and those that turn the direction of a line, stand in strings alone: there they are written by their code. */
function inertJson(text: string): string {
  return text
    .replace(/##(?=\[|vso\[)/g, '#\\u0023')
    .replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
}
