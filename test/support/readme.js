import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/*
 * `npm run readme`: docs/commands.md and docs/troubleshooting.md, from what `perfdb help` says. With --check it changes nothing and ends
 * with 1 when a page says something else.
 */
const docs = new URL('../../docs/', import.meta.url)
const program = fileURLToPath(new URL('../../bin/perfdb.js', import.meta.url))
const pages = [
  { name: 'commands.md', page: () => `# Commands\n\n${reference()}\n` },
  { name: 'troubleshooting.md', page: troubleshooting },
]
for (const { name, page } of pages) {
  const file = new URL(name, docs)
  if (!process.argv.includes('--check')) writeFileSync(file, page())
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== page())
    fail(`docs/${name} does not say what perfdb help says: npm run readme writes it`)
}

/** Every code with its text, by kind. */
function troubleshooting() {
  const codes = JSON.parse(help('codes', '--format', 'json'))
  const kinds = [...new Set(codes.map(({ kind }) => kind))]
  const sections = kinds.map((kind) => {
    const own = codes.filter((one) => one.kind === kind)
    const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
    return `## ${title}\n\n${own.map(explanation).join('\n\n')}`
  })
  const intro = 'Every code that perfdb prints, as `perfdb help CODE` explains it.'
  return `# Troubleshooting\n\n${intro}\n\n${sections.join('\n\n')}\n`
}

function explanation({ code, text, why, rule, todo, option }) {
  const lines = [
    `### ${code}`,
    '',
    `${text}.`,
    '',
    `- Why it matters: ${why}`,
    `- When: ${rule}`,
    `- What to do: ${todo}`,
  ]
  return [...lines, ...(option === undefined ? [] : [`- Option: \`${option}\``])].join('\n')
}

function reference() {
  const all = help()
  const names = [...all.matchAll(/^ {2}([a-z][a-z-]*)(?: \[.*?\])+ {2,}/gm)].map(([, name]) => name)
  const commands = names.filter((name) => name !== 'help').map((name) => ({ name, text: help(name) }))
  // In other widths in each, and so told once.
  const isCommon = (section) => /^(Connection|Output):\n/.test(section)
  return [
    block(all),
    'Every command has these options:',
    block(commands[0].text.split('\n\n').filter(isCommon).join('\n\n')),
    ...commands.map(({ name, text }) => {
      const own = text.split('\n\n').filter((section) => !isCommon(section))
      return `<details><summary><code>perfdb ${name}</code></summary>\n\n${block(own.join('\n\n'))}\n\n</details>`
    }),
  ].join('\n\n')
}

function help(...names) {
  return execFileSync(process.execPath, [program, 'help', ...names], { encoding: 'utf8' }).trimEnd()
}

function block(text) {
  return `\`\`\`text\n${text}\n\`\`\``
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
