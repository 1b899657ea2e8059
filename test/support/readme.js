import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/*
 * `npm run readme`: the command reference of README.md, between its two markers, from what `perfdb help` says. With
 * --check it changes nothing and ends with 1 when the README says something else.
 */
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
const program = fileURLToPath(new URL('../../bin/perfdb.js', import.meta.url))
const [start, end] = ['<!-- commands -->', '<!-- /commands -->']

const text = readFileSync(readme, 'utf8')
const from = text.indexOf(start)
const to = text.indexOf(end)
const written = () => `${text.slice(0, from + start.length)}\n${reference()}\n${text.slice(to)}`
if (from < 0 || to < from) fail(`README.md has no markers ${start} and ${end}: put them where the reference belongs`)
else if (!process.argv.includes('--check')) writeFileSync(readme, written())
else if (written() !== text) fail('README.md does not say what perfdb help says: npm run readme writes it')

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
