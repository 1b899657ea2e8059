import type { Outcome } from '../../result/documents/result.js'
import type { Tone } from './block.js'

export type Words<Kind extends string> = Readonly<Record<Kind, string>>

export const outcomeWords: Words<Outcome> = {
  kept: 'kept',
  built: 'built',
  rebuilt: 'rebuilt',
  reindexed: 'reindexed',
  replaced: 'replaced',
  renamed: 'renamed',
  dropped: 'dropped',
  waited: 'waited for',
  failed: 'failed',
  refused: 'refused',
  not_reached: 'not reached',
  undone: 'undone already',
  already_gone: 'already gone',
  name_taken: 'name taken',
}

export const outcomeTones: Readonly<Record<Outcome, Tone>> = {
  kept: 'quiet',
  built: 'good',
  rebuilt: 'good',
  reindexed: 'good',
  replaced: 'good',
  renamed: 'good',
  dropped: 'good',
  waited: 'warn',
  failed: 'bad',
  refused: 'warn',
  not_reached: 'warn',
  undone: 'quiet',
  already_gone: 'warn',
  name_taken: 'warn',
}
