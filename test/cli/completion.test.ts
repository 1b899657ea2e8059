import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { completionScript, shells } from '../../src/cli/completion/completion.js'
import { completionTree } from '../../src/cli/completion/completion-tree.js'
import { buildProgram } from '../../src/cli/program.js'
import { hazardCodes } from '../../src/codes/hazard-codes.js'
import { folder, perfdbHere, type Folder } from './perfdb.js'

/* The scripts are run by the shells themselves, as Tab runs them: COMP_WORDS as bash splits a line. */

const run = promisify(execFile)

async function tab(cwd: string, ...words: readonly string[]): Promise<readonly string[]> {
  const script = join(cwd, 'perfdb.bash')
  const list = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const { stdout } = await run(
    'bash',
    [
      '--norc',
      '-c',
      `source "$1"; complete -p perfdb >&2; COMP_WORDS=(perfdb ${list}); COMP_CWORD=${words.length}; _perfdb; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      script,
    ],
    { cwd },
  )
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  let at: Folder
  beforeAll(async () => {
    at = await folder({
      'perfdb.bash': await completionScript(buildProgram(), 'bash'),
      'my profile.yaml': '',
      'sub/x.sql': '',
    })
    return async () => at[Symbol.asyncDispose]()
  })

  test('commands first, then files, options and their values', async () => {
    expect(await tab(at.path, '')).toEqual([
      ...buildProgram().commands.map((command) => command.name()),
      'help',
      '--help',
      '--version',
    ])
    expect(await tab(at.path, 'che')).toEqual(['check-pool'])
    expect(await tab(at.path, 'plan', 'my')).toEqual(['my profile.yaml'])
    expect(await tab(at.path, 'plan', '--exit')).toEqual(['--exit-code'])
    expect(await tab(at.path, 'plan', '--export', 'd')).toEqual(['dbmate'])
    expect(await tab(at.path, 'plan', '--out-dir', '')).toEqual(['sub'])
    expect(await tab(at.path, 'plan', '--out', 'm')).toEqual(['my profile.yaml'])
    expect(await tab(at.path, '--', '')).not.toContain('--exit-code')
  })

  test('an = splits the word for bash', async () => {
    expect(await tab(at.path, 'apply', '--format', '=', 'js')).toEqual(['json', 'jsonl'])
    expect(await tab(at.path, 'apply', '--format', '=')).toContain('sarif')
    expect(await tab(at.path, 'apply', '--report', 'jun')).toEqual(['junit='])
    expect(await tab(at.path, 'apply', '--report', 'junit', '=', 'my')).toEqual(['my profile.yaml'])
  })

  test('hazards one after the other, codes after help, shells after completion, nothing where nothing is known', async () => {
    expect(await tab(at.path, 'apply', '--allow', '')).toEqual(hazardCodes)
    expect(await tab(at.path, 'apply', '--allow', 'DROP,HOT')).toEqual(['DROP,HOT_LOSS'])
    expect(await tab(at.path, 'help', 'SEQ')).toEqual(['SEQ_SCAN', 'SEQ_SCAN_OK'])
    expect(await tab(at.path, 'completion', '')).toEqual(shells)
    expect(await tab(at.path, 'apply', '--max-wait', '')).toEqual([])
    expect(await tab(at.path, 'rollback', '')).toEqual([])
  })
})

const installed = (shell: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${shell}`])
    return true
  } catch {
    return false
  }
}

test.each(['zsh', 'fish'].filter(installed))('%s takes the script', async (shell) => {
  const name = shell === 'zsh' ? 'zsh' : 'fish'
  await using at = await folder({ script: await completionScript(buildProgram(), name) })
  await run(shell, ['-n', join(at.path, 'script')])
  if (shell !== 'fish') return
  const { stdout } = await run('fish', ['--no-config', '-c', 'source script; complete -C "perfdb help SEQ_"'], {
    cwd: at.path,
  })
  expect(stdout.split('\n').filter((line) => line !== '')).toEqual(['SEQ_SCAN', 'SEQ_SCAN_OK'])
})

test.each(shells)('%s: every command and long option of the program is in the script', async (shell) => {
  const program = buildProgram()
  const script = await completionScript(program, shell)
  for (const command of program.commands)
    for (const { long } of command.options) expect(script).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long)
  // Each quote that is opened is closed, whatever the descriptions hold.
  for (const line of script.split('\n').filter((text) => text.startsWith('          ')))
    expect(line.replaceAll("'\\''", '').split("'").length % 2).toBe(1)
})

test('an option with a file for its value completes files', () => {
  const tree = completionTree(buildProgram())
  const plan = tree.find(({ name }) => name === 'plan')?.options ?? []
  const kinds = Object.fromEntries(plan.map(({ long, value }) => [long, value?.kind]))
  expect(kinds).toMatchObject({
    '--out': 'files',
    '--out-dir': 'folders',
    '--config': 'files',
    '--report': 'reports',
    '--quiet': undefined,
    '--max-wait': 'nothing',
    '--format': 'words',
  })
})

test('perfdb completion prints it, and names the shells that it knows', async () => {
  await using at = await folder()
  const bash = await perfdbHere(['completion', 'bash'], { cwd: at.path })
  expect(bash).toMatchObject({ code: 0, stderr: '', stdout: await completionScript(buildProgram(), 'bash') })
  const other = await perfdbHere(['completion', 'tcsh'], { cwd: at.path })
  expect(other).toMatchObject({ code: 2, stdout: '' })
  expect(other.stderr).toContain('known are bash, zsh, fish')
})

test('--install writes the script where the shell looks, over none but its own, and the shell takes it', async () => {
  await using at = await folder({ 'taken/fish/completions/perfdb.fish': '# mine\n' })
  const environment = { HOME: at.path, SHELL: '/bin/bash' }
  for (let repeat = 0; repeat < 2; repeat += 1) {
    const installed = await perfdbHere(['completion', '--install'], { cwd: at.path, environment })
    expect(installed).toMatchObject({ code: 0, stderr: '' })
    expect(installed.stdout).toContain('.local/share/bash-completion/completions/perfdb is written')
  }
  const { stdout } = await run('bash', [
    '--norc',
    '-c',
    'source "$1/.local/share/bash-completion/completions/perfdb"; complete -p perfdb',
    'bash',
    at.path,
  ])
  expect(stdout).toContain('_perfdb')
  const zsh = await perfdbHere(['completion', 'zsh', '--install'], { cwd: at.path, environment })
  expect(zsh.stdout).toContain(`fpath+=(${at.path}/.local/share/zsh/site-functions)`)
  const taken = { ...environment, XDG_CONFIG_HOME: `${at.path}/taken` }
  const refused = await perfdbHere(['completion', 'fish', '--install'], { cwd: at.path, environment: taken })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain("is not perfdb's")
  const other = await perfdbHere(['completion', '--install'], {
    cwd: at.path,
    environment: { ...environment, SHELL: '/usr/bin/nu' },
  })
  expect(other).toMatchObject({ code: 2 })
  expect(other.stderr).toContain('there is no completion for nu')
})
