import { expect, test } from 'vitest'
import type { Format } from '../../src/options/formats.js'
import type { Result } from '../../src/result/results.js'
import { render } from '../../src/report/render.js'
import { applyFailed, narrow } from './documents.js'

const evil = 'x\n::error::pwned\n  ##[command]rm ::add-mask::y \u202e\u0007 ##vso[task.setvariable]z'
const formats: readonly Format[] = ['text', 'markdown', 'html', 'json', 'jsonl', 'junit', 'sarif', 'github', 'gitlab']

/** Every text of a document that a server or a file could have written is this one. */
function poisoned(result: Result): Result {
  const copy = structuredClone(result)
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Object.keys(value)) {
      const each: unknown = Reflect.get(value, key)
      if (typeof each === 'string' && ['message', 'detail', 'hint', 'index', 'table', 'reason'].includes(key))
        Reflect.set(value, key, `${each} ${evil}`)
      else visit(each)
    }
    if (Array.isArray(value)) value.forEach(visit)
  }
  visit(copy)
  return copy
}

test.each(formats)(
  '%s: no text of a server or a file becomes a command of a log, or moves the cursor',
  async (format) => {
    const text = await render(poisoned(applyFailed), format, { ...narrow, verbose: true })
    for (const line of text.split('\n')) {
      // Of the format for GitHub the lines are commands of perfdb's own.
      if (format !== 'github') expect(line).not.toMatch(/^\s*::/)
      expect(line).not.toMatch(/##\[|##vso\[/)
      expect(line).not.toMatch(/[\p{Cc}\u202e]/u)
    }
    if (format === 'json') expect(JSON.stringify(JSON.parse(text))).toContain('##[command]')
  },
)
