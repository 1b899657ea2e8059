import { spawn } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const program = join(import.meta.dirname, '../../node_modules/yaml-language-server/bin/yaml-language-server')

/** The YAML language server that editors run, over stdio: https://microsoft.github.io/language-server-protocol/ */
export interface LanguageServer extends AsyncDisposable {
  /** What it says of a text that an editor shows as this file: `line: message`. */
  diagnose(path: string, text: string): Promise<readonly string[]>
  /** The labels it offers where the text has a `|`, with what it says about each. */
  complete(path: string, text: string): Promise<ReadonlyMap<string, string>>
}

export async function languageServer(): Promise<LanguageServer> {
  const child = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const waiting = new Map<string, (value: unknown) => void>()
  let version = 0

  const send = (message: Readonly<Record<string, unknown>>) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const answer = async (key: string, start: () => void): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(key, resolve)
      start()
    })
  const request = async (method: string, params: unknown) => {
    const id = ++version
    return answer(`answer ${id}`, () => send({ id, method, params }))
  }
  readMessages(child.stdout, (message) => {
    const { id, method, params, result } = message
    // Its questions (settings, registrations) get no settings: those of the notification below count.
    if (id !== undefined && method !== undefined) send({ id, result: null })
    else if (id !== undefined) waiting.get(`answer ${Number(id)}`)?.(result)
    else if (method === 'textDocument/publishDiagnostics')
      waiting.get(`diagnostics ${String(member(params, 'uri'))}`)?.(params)
  })
  const open = (path: string, text: string) => {
    version++
    // A document of its own each time, in the same folder: what is published of a closed one is never taken for the next one's.
    const uri = pathToFileURL(join(dirname(path), `${version}-${basename(path)}`)).href
    const textDocument = { uri, languageId: 'yaml', version, text }
    return { uri, show: () => send({ method: 'textDocument/didOpen', params: { textDocument } }) }
  }

  await request('initialize', { processId: process.pid, rootUri: null, capabilities: {} })
  send({ method: 'initialized', params: {} })
  // Without the catalog of schemastore.org it asks nothing of the network.
  const yaml = { validate: true, completion: true, schemaStore: { enable: false } }
  send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml } } })

  return {
    async diagnose(path, text) {
      const { uri, show } = open(path, text)
      const published = await answer(`diagnostics ${uri}`, show)
      send({ method: 'textDocument/didClose', params: { textDocument: { uri } } })
      return list(member(published, 'diagnostics')).map((one) => {
        const line = Number(member(member(member(one, 'range'), 'start'), 'line')) + 1
        return `${line}: ${String(member(one, 'message'))}`
      })
    },
    async complete(path, text) {
      const before = text.slice(0, text.indexOf('|')).split('\n')
      const { uri, show } = open(path, text.replace('|', ''))
      show()
      const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 }
      const answer = await request('textDocument/completion', { textDocument: { uri }, position })
      send({ method: 'textDocument/didClose', params: { textDocument: { uri } } })
      const items = list(member(answer, 'items') ?? answer)
      return new Map(items.map((item) => [String(member(item, 'label')), documentation(item)]))
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}

function documentation(item: unknown): string {
  const written = member(item, 'documentation')
  const text = typeof written === 'string' ? written : member(written, 'value')
  return typeof text === 'string' ? text : ''
}

function readMessages(stream: NodeJS.ReadableStream, take: (message: Readonly<Record<string, unknown>>) => void): void {
  let buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const head = buffer.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, Math.max(0, head)).toString())?.[1])
      if (head < 0 || buffer.length < head + 4 + length) return
      const message: Readonly<Record<string, unknown>> = JSON.parse(
        buffer.toString('utf8', head + 4, head + 4 + length),
      )
      buffer = buffer.subarray(head + 4 + length)
      take(message)
    }
  })
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
