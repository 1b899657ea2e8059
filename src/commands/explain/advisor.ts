import { chooseForEach, type OwnChoice } from '../../advise/choose/each.js'
import { hypoPgEngine } from '../../advise/hypopg.js'
import { readTrigrams } from '../../advise/trigrams.js'
import { PerfdbError } from '../../errors.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import type { AdvisedIndexes, Advisor } from '../../measure/sample/advisor.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Subject } from '../../measure/sample/subject.js'
import { findHypoPg } from '../../measure/what-if/what-if.js'
import { likenessOf } from '../../twin/suppose/fidelity.js'
import { skipsFrom } from '../../twin/suppose/skips.js'
import type { Present } from '../../twin/suppose/suppose.js'
import { readable } from '../../measure/why/serves-text.js'
import type { MadeTwin } from '../shared/twins.js'
import { noTwin, type WhatIfEngine } from './what-if.js'

/** The engine of advise by what --what-if asks: a twin; HypoPG where that is named, or no twin can be made and nobody named one; else nothing. */
export function advisorOf({ twin, otherwise = false }: WhatIfEngine, limits: Limits): Advisor {
  return async (query) => {
    const made = twin === undefined ? null : await madeOrNot(twin)
    if (made !== null) return byTwin(made, query, limits)
    return twin === undefined || otherwise ? byHypoPg(query, limits) : null
  }
}

async function madeOrNot(make: () => Promise<MadeTwin>): Promise<MadeTwin | null> {
  return make().catch((error: unknown) => {
    if (error instanceof PerfdbError && noTwin.has(error.code)) return null
    throw error
  })
}

type Asked = Parameters<Advisor>[0]

async function byTwin({ twin }: MadeTwin, { session, subject, plan }: Asked, limits: Limits) {
  const present = presentOf(subject, plan, await twin.plan(subject))
  if (present.likeness === 'differs') return null
  const look = { twin, skips: session.versionNum >= skipsFrom }
  const choices = await chooseForEach(session, look, [present], limits, await readTrigrams(session, limits))
  return advisedOf(choices.get(present), onTwin)
}

async function byHypoPg({ session, subject, plan }: Asked, limits: Limits) {
  const { hypopg } = await findHypoPg(session, limits)
  if (hypopg === null) return null
  const engine = await hypoPgEngine(session, hypopg, plan, limits)
  const present = presentOf(subject, plan, await engine.plan(subject))
  const choices = await chooseForEach(session, { twin: engine, skips: true }, [present], limits, null)
  return advisedOf(choices.get(present), 'by HypoPG')
}

export const onTwin = 'on a twin'

/** A query that has no name yet. */
export function presentOf(subject: Subject, there: QueryPlan, here: QueryPlan): Present {
  const place = { file: 'explain', line: 1, column: 1 }
  return {
    name: '',
    params: null,
    statement: null,
    query: { name: '', sql: subject.text, parameters: [], variants: [], expect: {}, place },
    subject,
    there,
    here,
    ...likenessOf(there, here),
  }
}

export function advisedOf(choice: OwnChoice | undefined, where: string): AdvisedIndexes | null {
  if (choice === undefined) return null
  return {
    where,
    tried: choice.tried,
    costBefore: choice.before,
    costAfter: choice.after,
    indexes: choice.chosen.map(({ option: { table, text, needs } }) => ({
      table,
      text: `${needs === undefined ? '' : `${needs.sql} (${needs.by}), then `}${readable(text, table)}`,
    })),
  }
}
