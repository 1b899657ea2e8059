import type { ErrorResult } from '../../result/documents/result.js'
import type { Block, Item } from '../block/block.js'
import { detail } from '../block/block.js'
import { placeDetail } from '../block/findings.js'
import { several } from '../../text/amounts.js'

type ErrorFields = ErrorResult['error']['problems'] extends readonly (infer Fields)[] | undefined ? Fields : never

/** An error in the manner of a compiler; many problems of many files one after the other, then their number. */
export function errorBlocks(result: ErrorResult): Block[] {
  const problems = result.error.problems ?? []
  if (problems.length < 2) return [{ kind: 'items', title: '', items: [errorItem(result.error)] }]
  return [
    { kind: 'items', title: '', items: problems.map((problem) => errorItem(problem)) },
    { kind: 'verdict', tone: 'bad', text: several(problems.length, 'problem') },
  ]
}

/** One error; `subject` is the index or query that it stopped. */
export function errorItem(error: ErrorFields, subject = ''): Item {
  return {
    tone: 'bad',
    label: `error[${error.code}]`,
    text: subject === '' ? error.message : `${subject}: ${error.message}`,
    details: [
      ...placeDetail(error.place),
      ...detail('detail', error.detail),
      ...detail('sqlstate', error.sqlstate),
      ...detail('hint', error.hint),
    ],
  }
}
