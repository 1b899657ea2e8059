import type { Block } from './block.js'

export type Mood = 'good' | 'warn' | 'bad'

/** What stands before a headline: no tick over something that somebody should read. */
export function moodOf(ok: boolean, blocks: readonly Block[]): Mood {
  if (!ok) return 'bad'
  const told = blocks.flatMap((block) => (block.kind === 'items' ? block.items : []))
  return told.some(({ tone }) => tone === 'warn' || tone === 'bad') ? 'warn' : 'good'
}
