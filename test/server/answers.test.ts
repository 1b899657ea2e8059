import { expect, test } from 'vitest'
import { answerReader } from '../../src/server/wire/answers.js'
import { executeMessages, parseMessage } from '../../src/server/wire/messages.js'

const message = (type: string, body: string) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + body.length)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body, 'latin1')])
}
const good = [message('1', ''), message('2', ''), message('D', 'ZZZZZ'), message('C', 'SELECT 1\0'), message('Z', 'I')]
const bad = [message('E', 'SERROR\0VERROR\0C42P01\0Mno such table\0\0'), message('Z', 'I')]
const stream = Buffer.concat([...good, ...bad, ...good.slice(1)])

test.each(Array.from({ length: stream.length }, (_, at) => at + 1))('answers in pieces of %i bytes', (size) => {
  const answers: unknown[] = []
  const reader = answerReader((code, parsed) => answers.push([code, parsed]))
  // One buffer for all pieces, as sockets have it.
  const buffer = Buffer.alloc(stream.length + 8)
  for (let at = 0; at < stream.length; at += size) reader.read(buffer, stream.copy(buffer, 0, at, at + size))
  expect(answers).toEqual([
    [undefined, true],
    ['42P01', false],
    [undefined, false],
  ])
})

test('a connection that ends says the last error of the server, or that it is lost', () => {
  const answers: unknown[] = []
  const reader = answerReader((code) => answers.push(code))
  const last = message('E', 'SFATAL\0VFATAL\0C57P01\0Mgone\0\0')
  reader.read(last, last.length)
  reader.end()
  reader.end()
  expect(answers).toEqual(['57P01', 'CONNECTION_LOST'])
})

test('the bytes of a request are those of the manual', () => {
  expect(parseMessage('s', 'x').toString('latin1')).toBe('P\0\0\0\x0as\0x\0\0\0')
  expect(executeMessages('s', ['é', null]).toString('latin1')).toBe(
    'B\0\0\0\x17\0s\0\0\0\0\x02\0\0\0\x02\xc3\xa9\xff\xff\xff\xff\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04',
  )
})
