import { terminated } from '../block/terminated.js'
import { quoteName } from '../../definition/quote.js'
import type { PlanResult, ResultStep } from '../../result/documents/result.js'
import { planTally, scriptOf } from './plan.js'
import { serverText } from './steps.js'
import { visible } from '../text/width.js'

/**
 * A plan as a script to review and to run with psql: reasons, hazards and places as comments, one statement after the other
 * outside any transaction, and at the end a query that must return no row. It does less than `perfdb apply`: nothing is
 * measured, verified in between or recorded.
 */
export function planSql(plan: PlanResult): string {
  const work = plan.steps.filter((step) => step.sql.length > 0)
  const head = [
    comment(`perfdb plan: ${planTally(plan.steps)}`),
    ...[serverText(plan.server), `plan ${plan.fingerprint}`].filter((text) => text !== '').map(comment),
    ...plan.findings
      .filter((finding) => finding.severity !== 'info')
      .map((finding) => comment(`${finding.severity} ${finding.code}: ${finding.message}`)),
  ].join('\n')
  const extensions = plan.extensions.map((name) => `create extension ${quoteName(name)};`)
  if (work.length + extensions.length === 0) return `${head}\n`
  return `${[head, settings, ...extensions, ...work.map(stepSql), proof(work)].join('\n\n')}\n`
}

// A lock_timeout or statement_timeout of the role would leave an invalid index behind.
const settings = `-- Run it as a file, not in a transaction: psql -X -f plan.sql
\\set ON_ERROR_STOP on
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;`

function stepSql(step: ResultStep): string {
  return [
    comment(scriptOf(step).title),
    ...step.hazards.map((hazard) =>
      comment(
        hazard.told === true || hazard.refused === true
          ? `${hazard.code}: ${hazard.message}`
          : `hazard ${hazard.code}: ${hazard.message} (perfdb apply wants --allow ${hazard.code})`,
      ),
    ),
    ...step.sql.map(terminated),
  ].join('\n')
}

function proof(work: readonly ResultStep[]): string {
  const wanted = work
    .filter((step) => step.step !== 'drop')
    .map((step) => `  (${literal(step.schema)}, ${literal(step.index)})`)
  if (wanted.length === 0) return '-- end'
  return `-- Every row is an index that is missing or not valid: there must be none.
select declared.schema, declared.index, coalesce(i.indisvalid, false) as valid
from (values
${wanted.join(',\n')}
) as declared(schema, index)
left join pg_catalog.pg_namespace n on n.nspname = declared.schema
left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = declared.index
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where i.indisvalid is not true;`
}

/** A comment can not be left by a line break in a name. */
function comment(text: string): string {
  return `-- ${visible(text)}`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
