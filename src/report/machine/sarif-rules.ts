import { knownCodes } from '../../codes/help-texts.js'

/** What a code means, and what to do about it. */
export interface RuleTexts {
  readonly text: string
  readonly help: string
}

/** The texts of a finding's, hazard's or error's code, as `perfdb help CODE` tells them; of one that is not known something that is still true. */
export function ruleTexts(code: string): RuleTexts {
  const known = knownCodes.get(code)
  if (known === undefined) return { text: `finding ${code}`, help: 'The message of the finding says what was found.' }
  const text = known.kind === 'hazards' ? `hazard: ${known.text}` : known.text
  return { text, help: known.todo }
}
