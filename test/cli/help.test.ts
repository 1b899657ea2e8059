import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../src/cli/program.js'
import type { FindingCode } from '../../src/codes/codes.js'
import { knownCodes } from '../../src/codes/help-texts.js'
import { errorHints } from '../../src/errors.js'
import { hazardCodes } from '../../src/codes/hazard-codes.js'
import { queryFindingCodes } from '../../src/codes/finding-codes.js'
import { codesText, codeText } from '../../src/report/blocks/help.js'
import { ruleTexts } from '../../src/report/machine/sarif-rules.js'
import { widthOf } from '../../src/report/text/width.js'
import { folder, perfdbHere } from './perfdb.js'

test('every code has a text: the types say so, and every code of the lists is known', () => {
  // @ts-expect-error: a finding whose code has no text does not compile
  const untold: FindingCode = 'CODE_WITHOUT_TEXT'
  expect(knownCodes.has(untold)).toBe(false)
  const codes = [...Object.keys(errorHints), ...hazardCodes, ...queryFindingCodes]
  expect(codes.filter((code) => !knownCodes.has(code))).toEqual([])
})

test('a text is short, says its rule, and is what SARIF shows', () => {
  for (const { code, kind, text, why, rule, todo, option } of knownCodes.values()) {
    expect(text, code).toMatch(/^\S.{5,100}[^.]$/)
    for (const part of [why, rule, todo]) expect(part, code).toMatch(/^[^a-z\s].*[.:)]$|^[a-z_-]/)
    expect(why.length + rule.length, code).toBeLessThan(600)
    expect(option, code).not.toBe('')
    expect(ruleTexts(code)).toEqual({ text: kind === 'hazards' ? `hazard: ${text}` : text, help: todo })
  }
})

test.each([40, 60, 80, 200])('no line is wider than %i columns', (width) => {
  const layout = { width, color: false, unicode: true, verbose: false }
  const texts = [
    codesText([...knownCodes.values()], layout),
    ...[...knownCodes.values()].map((code) => codeText(code, layout)),
  ]
  for (const line of texts.join('\n').split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width)
})

describe('perfdb help', () => {
  test('explains codes, in any case, several at once', async () => {
    await using at = await folder()
    const one = await perfdbHere(['help', 'seq-scan'], { cwd: at.path })
    expect(one).toMatchObject({ code: 0, stderr: '' })
    expect(one.stdout).toContain('SEQ_SCAN: a query reads a whole table')
    expect(one.stdout).toMatch(
      /How it is decided:\n {2}A Seq Scan that reads 100 blocks or more and throws away 90 % of its rows/,
    )
    const two = await perfdbHere(['help', 'MISSING', 'HAZARD', '--format', 'json'], { cwd: at.path })
    expect(JSON.parse(two.stdout)).toMatchObject([{ code: 'MISSING' }, { code: 'HAZARD', kind: 'errors' }])
    const all = await perfdbHere(['help', 'codes'], { cwd: at.path })
    for (const code of knownCodes.keys()) expect(all.stdout).toContain(code)
  })

  test('names the code that was meant', async () => {
    await using at = await folder()
    for (const name of ['SEQSCAN', 'seqscan', 'SEQ_SCANN']) {
      const ended = await perfdbHere(['help', name], { cwd: at.path })
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toContain(`there is no code ${name}`)
      expect(ended.stderr).toContain('did you mean SEQ_SCAN?')
    }
  })

  test('of a command is still its help, and of a slip the command that was meant', async () => {
    await using at = await folder()
    for (const command of ['plan', 'status']) {
      const ended = await perfdbHere(['help', command], { cwd: at.path })
      expect(ended.code).toBe(0)
      expect(ended.stdout).toContain('Usage: perfdb')
    }
    const slip = await perfdbHere(['help', 'aply'], { cwd: at.path })
    expect(slip.stderr).toContain('did you mean apply?')
    expect((await perfdbHere(['help', 'nope'], { cwd: at.path })).stderr).toContain('there is no command nope')
  })

  test('no command has the name of a code', () => {
    const names = buildProgram().commands.map((command) => command.name().toUpperCase().replaceAll('-', '_'))
    // One in small letters is the command, in capitals the check of doctor.
    expect(names.filter((name) => knownCodes.has(name))).toEqual(['LOAD'])
  })
})

test('the text of a result ends with the command that explains its codes; a slip of the command line does not', async () => {
  await using at = await folder({
    'p.pools.yaml': `version: 1
kind: pools
servers: { main: { max_connections: 20 } }
services:
  app: { server: main, instances: 9, pool: { driver: node-postgres, max: 10 }, deploy: { strategy: recreate } }
`,
  })
  const over = await perfdbHere(['check-pool', 'p.pools.yaml', '--offline'], { cwd: at.path })
  expect(over.code).toBe(1)
  expect(over.stdout).toMatch(/\nMore: perfdb help POOL_OVER\b[A-Z_ ]*\n$/)
  const markdown = await perfdbHere(['check-pool', 'p.pools.yaml', '--offline', '--format', 'markdown'], {
    cwd: at.path,
  })
  expect(markdown.stdout).not.toContain('perfdb help')
  const slip = await perfdbHere(['check-pool', '--ofline'], { cwd: at.path })
  expect(slip.stderr).not.toContain('More:')
})
