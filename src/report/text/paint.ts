import { Chalk } from 'chalk'
import type { Tone } from '../block/block.js'

export type Paint = (tone: Tone | 'strong', text: string) => string

/** Colours of the sixteen that every terminal has; without colour the text as it is, not one escape. */
export function paintOf(color: boolean): Paint {
  const chalk = new Chalk({ level: color ? 1 : 0 })
  return (tone, text) => {
    switch (tone) {
      case 'good':
        return chalk.green(text)
      case 'bad':
        return chalk.red(text)
      case 'warn':
        return chalk.yellow(text)
      case 'quiet':
        return chalk.dim(text)
      case 'strong':
        return chalk.bold(text)
      case 'plain':
        return text
    }
  }
}
