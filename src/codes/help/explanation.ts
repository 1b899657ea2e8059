/** What `perfdb help CODE` tells of a finding, hazard or error, each in a sentence or two. SARIF shows `text` and `todo`. */
export interface Explanation {
  /** What the code means, without a full stop. */
  readonly text: string
  /** Why it matters. */
  readonly why: string
  /** How perfdb decides it, with the numbers. */
  readonly rule: string
  /** The command or the line to write. */
  readonly todo: string
  /** What changes the rule or allows the step: an option or a key of a file. */
  readonly option?: string
}

export type ErrorText = Omit<Explanation, 'todo'>
