import { createHash } from 'node:crypto'

/** Of fewer tenants each is found by looking. */
export const searchedFrom = 20

/**
 * Shows the rows in whose cells every word is found, and says how many. Without scripts the field stays hidden, and on paper every row is there. Rows are read when somebody
 * types, so that the page opens as fast as without.
 */
const script = `
const field = document.getElementById('find')
const said = document.getElementById('found')
const folded = document.getElementById('folded')
const rows = [...document.querySelectorAll('.matrix tbody tr')]
let texts
const find = () => {
  texts ??= rows.map((row) => [...row.cells].map((cell) => cell.textContent).join('\\n').toLowerCase())
  const words = field.value.toLowerCase().split(/\\s+/)
  rows.forEach((row, at) => row.classList.toggle('out', !words.every((word) => texts[at].includes(word))))
  if (folded !== null) folded.open = field.value.trim() !== ''
  tell()
}
const tell = () => {
  said.textContent = ''
  if (field.value.trim() === '') return
  const number = rows.filter((row) => row.offsetParent !== null).length
  said.textContent = number.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' tenants'
}
document.getElementById('search').hidden = false
field.addEventListener('input', find)
document.addEventListener('change', tell)
if (field.value !== '') find()
`

/** What stands at the end of the page. */
export const searchScript = `<script>${script}</script>`

/** The only script that the policy of the page lets run: by its digest, so that no other text is ever one. */
export const searchSource = `'sha256-${createHash('sha256').update(script).digest('base64')}'`

export const searchStyle =
  '.search:not([hidden]){display:flex;flex-wrap:wrap;align-items:center;gap:.3rem .8rem}.search label{font-weight:600}.search input{font:inherit;color:inherit;background:var(--page);border:1px solid var(--quiet);border-radius:.4rem;padding:.3rem .6rem;flex:0 1 24rem;min-width:0}@media screen{tr.out{display:none}}@media print{.search:not([hidden]){display:none}}'

export const searchField =
  '<p class="search" id="search" hidden><label for="find">Find tenants</label> <input type="search" id="find" autocomplete="off" spellcheck="false"> <output id="found" for="find"></output></p>'
