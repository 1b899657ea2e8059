import { tenantOutcomes, type FleetResult, type TenantStep } from '../../result/documents/fleet-result.js'
import { several, withThousands } from '../../text/amounts.js'
import { isAsDeclared, tenantTones, tenantWords } from '../blocks/fleet.js'
import { signs } from '../blocks/steps.js'
import { searchedFrom, searchField, searchScript, searchStyle } from './html-search.js'
import { html } from './html-text.js'

/** From so many tenants on, those in which nothing is left to do are folded: laying out thousands of rows takes a browser seconds. */
const foldedFrom = 1000

/** Labels with more values than this are no choice that anybody looks through: the browser's own search finds them. */
const mostValues = 40

type Tenant = FleetResult['tenants'][number]

interface Column {
  readonly name: string
  readonly textOf: (tenant: Tenant) => string
}

const tenantColumn: Column = { name: 'tenant', textOf: ({ id }) => id }
const serverColumn: Column = { name: 'server', textOf: ({ server }) => server }
const labelColumn: Column = {
  name: 'labels',
  textOf: ({ labels }) =>
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
}

/**
 * Every tenant with a sign for every index, the worst first. Chosen by outcome and label without a script: each choice is a radio button, and a rule hides the
 * rows that are not of it. Many are found by words as well, where a script may run; of thousands those in which nothing is left to do are folded. Rows are short, so that ten thousand stay below 5 MB; a column in which every row
 * would have the same is none: a server that all have is told above.
 */
export function fleetHtml({ tenants, groups }: FleetResult): string {
  const indexes = indexesOf(groups.flatMap(({ steps }) => steps))
  const cells = groups.map(({ steps }) => signsOf(steps, indexes))
  const choices = choicesOf(tenants)
  const servers = new Set(tenants.map(({ server }) => server))
  const labelled = tenants.some(({ labels }) => Object.keys(labels).length > 0)
  const columns = [tenantColumn, ...(labelled ? [labelColumn] : []), ...(servers.size > 1 ? [serverColumn] : [])]
  const row = (tenant: Tenant) => {
    const { labels, outcome, group, error } = tenant
    const classes = [
      `o${tenantOutcomes.indexOf(outcome)}`,
      ...Object.entries(labels).flatMap((pair) => choices.numbers.get(keyOf(pair)) ?? []),
    ]
    const own = columns.map(({ textOf }) => `<td>${html(textOf(tenant))}</td>`)
    const what = error === undefined ? (cells[group] ?? '') : `<span class="code">${html(error.code)}</span>`
    return `<tr class="${classes.join(' ')}">${own.join('')}<td class="${tenantTones[outcome]}">${tenantWords[outcome]}</td><td>${what}</td></tr>`
  }
  const head = [...columns.map(({ name }) => name), 'outcome', 'indexes'].map((name) => `<th scope="col">${name}</th>`)
  const table = (label: string, of: readonly Tenant[]) =>
    `<table class="matrix" aria-label="${label}"><thead><tr>${head.join('')}</tr></thead><tbody>\n${of.map(row).join('\n')}\n</tbody></table>`
  const sorted = tenants.toSorted((one, other) => one.group - other.group)
  const isFolded = ({ outcome }: Tenant) => tenants.length >= foldedFrom && tenantTones[outcome] === 'good'
  const [shown, folded] = [sorted.filter((tenant) => !isFolded(tenant)), sorted.filter(isFolded)]
  const legend = indexes.map(
    ({ index, table }) => `<li>${html(index)} <span class="quiet">on ${html(table)}</span></li>`,
  )
  const searched = isSearched({ tenants })
  return `<style>${searched ? `${searchStyle}\n` : ''}.matrix{table-layout:fixed;width:100%}.matrix td:last-child{font-family:ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em}.matrix .code{letter-spacing:0;font-size:.8rem}.choices{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;border:0;padding:0;margin:.6rem 0}.choices legend{font-weight:600;float:left;margin-right:.8rem}.choices label{white-space:nowrap}
${choices.rules.join('\n')}</style>
${choices.fields.join('\n')}
${searched ? searchField : ''}
${legend.length === 0 ? '' : `<p>A sign for each index, in this order: ${html(signText)}.</p>\n<ol>${legend.join('')}</ol>`}
${servers.size === 1 ? `<p>All on ${html([...servers].join(''))}.</p>\n` : ''}${shown.length === 0 ? '' : table('Tenants', shown)}${folded.length === 0 ? '' : `\n<details id="folded"><summary>${outcomesText(folded)}</summary>${table('Tenants with nothing left to do', folded)}</details>`}${searched ? `\n${searchScript}` : ''}`
}

/** Its page has a script, and no other one. */
export function isSearched({ tenants }: Pick<FleetResult, 'tenants'>): boolean {
  return tenants.length >= searchedFrom
}

/** `4,000 tenants in order, 12 done` */
function outcomesText(tenants: readonly Tenant[]): string {
  return outcomesOf(tenants)
    .map(({ name, count }, at) => `${at === 0 ? several(count, 'tenant') : withThousands(count)} ${name}`)
    .join(', ')
}

/** The outcomes that some of them have, with the class of their rows. */
function outcomesOf(tenants: readonly Tenant[]) {
  return tenantOutcomes
    .map((outcome, at) => ({
      name: tenantWords[outcome],
      class: `o${at}`,
      count: tenants.filter((tenant) => tenant.outcome === outcome).length,
    }))
    .filter(({ count }) => count > 0)
}

const signText = `${signs.keep} as declared, ${signs.create} missing, ${signs.replace} differs, ${signs.rebuild} invalid, ${signs.adopt} other name, ${signs.drop} to drop, ${signs.building} being built`

interface Index {
  readonly index: string
  readonly table: string
}

function indexesOf(steps: readonly TenantStep[]): readonly Index[] {
  return [...new Map(steps.map(({ index, table }) => [keyOf([index, table]), { index, table }])).values()]
}

/** A step that was carried out leaves the index as it is declared. */
function signsOf(steps: readonly TenantStep[], indexes: readonly Index[]): string {
  const own = new Map(
    steps.map((step) => [keyOf([step.index, step.table]), isAsDeclared(step) ? signs.keep : signs[step.step]]),
  )
  return html(indexes.map(({ index, table }) => own.get(keyOf([index, table])) ?? ' ').join(''))
}

interface Choices {
  /** The class of a row with this label. */
  readonly numbers: ReadonlyMap<string, string>
  readonly fields: readonly string[]
  readonly rules: readonly string[]
}

function choicesOf(tenants: FleetResult['tenants']): Choices {
  const numbers = new Map<string, string>()
  const values = new Map<string, Map<string, number>>()
  for (const { labels } of tenants)
    for (const [name, value] of Object.entries(labels)) {
      const counts = values.get(name) ?? new Map<string, number>()
      values.set(name, counts.set(value, (counts.get(value) ?? 0) + 1))
    }
  const outcomes = outcomesOf(tenants)
  const fields = [field('outcome', outcomes)]
  for (const [name, counts] of values) {
    if (counts.size > mostValues) continue
    const members = [...counts]
      .toSorted(([one], [other]) => one.localeCompare(other, 'en'))
      .map(([value, count]) => {
        const number = `l${numbers.size}`
        numbers.set(keyOf([name, value]), number)
        return { name: value, class: number, count }
      })
    fields.push(field(name, members))
  }
  const classes = [...outcomes.map((one) => one.class), ...numbers.values()]
  return {
    numbers,
    fields,
    rules: classes.map((one) => `body:has(#c${one}:checked) .matrix tbody tr:not(.${one}){display:none}`),
  }
}

function field(
  title: string,
  members: readonly { readonly name: string; readonly class: string; readonly count: number }[],
): string {
  if (members.length < 2) return ''
  const group = html(`choice of ${title}`)
  const radio = (text: string, id: string) =>
    `<label><input type="radio" name="${group}"${id === '' ? ' checked' : ` id="c${id}"`}> ${html(text)}</label>`
  return `<fieldset class="choices"><legend>${html(title)}</legend>${radio('all', '')}${members
    .map(({ name, class: id, count }) => radio(`${name === '' ? '(none)' : name} (${withThousands(count)})`, id))
    .join('')}</fieldset>`
}

function keyOf(pair: readonly [string, string]): string {
  return JSON.stringify(pair)
}
