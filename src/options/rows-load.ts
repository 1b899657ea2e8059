import type { OptionRow } from './row.js'

/** Options of load. */
export const loadRows = [
  {
    flags: '--rate <rates>',
    read: 'texts',
    help: 'arrivals a second, one step each: 20,100,500; they come whether or not those before are answered',
    commands: ['load'],
    commandLineOnly: true,
  },
  {
    flags: '--duration <duration>',
    read: 'duration',
    help: 'of each step, after a warm-up that is not counted; 10min at most',
    commands: ['load'],
    default: '10s',
    commandLineOnly: true,
  },
  {
    flags: '--connections <n>',
    read: 'count',
    help: 'as many as the pool of the application has',
    commands: ['load'],
    default: '10',
    commandLineOnly: true,
  },
  {
    flags: '--timeout <duration>',
    read: 'duration',
    help: 'an answer that comes later is a failure',
    commands: ['load'],
    default: '2s',
    commandLineOnly: true,
  },
  {
    flags: '--mix <query=weight>',
    read: 'texts',
    help: 'send this query, so often against the others (default: all, by their weight); repeatable',
    commands: ['load'],
    commandLineOnly: true,
  },
  {
    flags: '--allow <hazards>',
    read: 'hazards',
    help: 'allow by name: LOAD sends it to a server on which others are busy',
    commands: ['load'],
    commandLineOnly: true,
  },
] as const satisfies readonly OptionRow[]
