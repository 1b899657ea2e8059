import { visible } from '../text/width.js'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Text for an element or a quoted attribute: on one line, with nothing in it that could be markup, and control characters and those that turn the
 * direction of the text shown by their code.
 */
export function html(text: string): string {
  return withEntities(visible(text))
}

/** The same with its line breaks, for `<pre>`. */
export function htmlLines(text: string): string {
  return text.split(/\r?\n/).map(html).join('\n')
}

/** What is markup in HTML and XML as entities. */
export function withEntities(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
