import { expect, test } from 'vitest'
import type { Price } from '../../src/result/documents/result.js'
import { render } from '../../src/report/render.js'
import { demoDocument } from './shown-documents.js'

const layout = { width: 160, color: false, unicode: true, verbose: false }

function price(index: string, verdict: Price['verdict'], reason: string): Price {
  return { index, table: 'jobs', schema: 'public', verdict, reason, queries: [] }
}

test.each(['text', 'markdown', 'html'] as const)(
  'the demo says of its indexes what the prices say, as %s',
  async (format) => {
    const shown = async (prices: Price[]) => {
      const apply = {
        ...demoDocument.apply,
        prices,
        findings: prices.map(({ index }) => ({
          code: 'NOT_USED',
          severity: 'info' as const,
          index,
          message: 'unused',
        })),
      }
      return render({ ...demoDocument, apply }, format, layout)
    }
    const useless = price('i_useless', 'does_not_pay', 'no declared query uses it')
    const small = price('i_small', 'cannot_say', 'no declared query uses it, on a table too small to tell')
    const good = price('i_good', 'pays', 'q 12x faster')
    const both = await shown([useless, small, good])
    expect(both).toContain('1 of the 3 do not pay')
    expect(both).toContain('1 of the 3 cannot be judged here')
    expect(both).toMatch(/1 of 3 pays, 1 does not, 1 cannot be judged/)
    const mixed = await shown([small, price('i_kept', 'cannot_say', 'it stood there before'), good])
    expect(mixed).toMatch(/2 of the 3 cannot be judged here(?!:)/)
    expect(mixed).toContain('it stood there before')
    const none = await shown([small, small, good])
    expect(none).toContain('2 of the 3 cannot be judged here')
    expect(none).not.toContain('do not pay')
    expect(await shown([good])).toContain('All 1 indexes pay')
  },
)
