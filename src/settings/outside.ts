import { homedir } from 'node:os'
import type { Readable } from 'node:stream'
import type { SignalName } from '../result/exit-code.js'

/** Where a command line reads and writes. Those of the process are opened when they are first looked at, so that this object is handed on, never a copy. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}

/** A stream with what a terminal knows of itself, and the file that it writes to, if it is one. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly fd?: number
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** Who tells of signals, and sends them. */
export interface SignalSource {
  readonly pid: number
  /** Of now: another one when the process that started this one is gone. */
  readonly ppid: number
  on(name: SignalName, take: (name: SignalName) => void): unknown
  off(name: SignalName, take: (name: SignalName) => void): unknown
  kill(pid: number, name: SignalName): unknown
}

/** All that a command line gets from the process that it runs in. */
export interface Outside {
  /** As in process.argv: the arguments begin with the third. */
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly streams: Streams
  readonly signalSource: SignalSource
}

/** The process itself; nothing of it is asked before it is needed. */
export const theProcess: Outside = {
  argv: process.argv,
  environment: process.env,
  get cwd() {
    return process.cwd()
  },
  get home() {
    return homedir()
  },
  streams: process,
  signalSource: process,
}
