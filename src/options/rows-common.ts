import { configFormats } from './formats.js'
import type { OptionRow } from './row.js'

/** Where to connect, and in which form the result goes where: every command has these. */
export const commonRows: readonly OptionRow[] = [
  {
    flags: '--url <url>',
    read: 'text',
    help: 'where to connect, or "embedded" for a private server; else PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, url of perfdb.yaml, PG* variables; password from .pgpass or PGPASSWORD',
    commands: 'all',
    group: 'Connection:',
    setting:
      'Where to connect, or "embedded" for a private server; take it from the environment: ${DATABASE_URL}. PERFDB_URL, DATABASE_URL and --url beat it',
  },
  {
    flags: '--password-command <command>',
    read: 'command',
    help: 'prints the password of the role, anew for each connection; run without a shell',
    commands: 'all',
    group: 'Connection:',
    setting:
      'A program and its arguments, as a text or a list: it prints a password of short life (RDS IAM, Cloud SQL, Entra), anew for each connection. Run without a shell; it finds PGHOST, PGPORT, PGUSER and PGDATABASE',
  },
  {
    flags: '--load <file.sql>',
    read: 'file',
    help: 'with --url embedded: a script that the new server runs first',
    commands: 'all',
    group: 'Connection:',
    setting: 'With url embedded: a SQL script that the new server runs first, relative to this file',
  },
  {
    flags: '--config <file>',
    read: 'text',
    help: 'configuration file (default: the nearest perfdb.yaml from this folder up)',
    commands: 'all',
    group: 'Connection:',
  },
  {
    flags: '--env <name>',
    read: 'text',
    help: 'its environment of that name beats its top level (else PERFDB_ENV)',
    commands: 'all',
    group: 'Connection:',
  },
  {
    flags: '--format <format>',
    read: 'format',
    help: `of the result on stdout: ${configFormats.join(', ')}, sql (plan only), prometheus (check-pool only)`,
    commands: 'all',
    group: 'Output:',
    default: 'text',
    setting: 'Of the result on stdout; text when left out',
    commandLineOnly: true,
  },
  {
    flags: '--report <format=file>',
    read: 'reports',
    help: 'write the result to a file as well; repeatable',
    commands: 'all',
    group: 'Output:',
    setting: 'Files that get the result as well, as FORMAT=FILE, relative to this file: html=perfdb.html',
    commandLineOnly: true,
  },
  {
    flags: '--color <when>',
    read: 'words',
    help: 'colours',
    commands: 'all',
    group: 'Output:',
    words: ['auto', 'always', 'never'],
    default: 'auto',
    setting: 'Colours; auto looks at the terminal and NO_COLOR',
    commandLineOnly: true,
  },
  {
    flags: '-q, --quiet',
    read: 'flag',
    help: 'no progress',
    commands: 'all',
    group: 'Output:',
    setting: 'No progress',
    commandLineOnly: true,
  },
  {
    flags: '-v, --verbose',
    read: 'flag',
    help: 'everything, SQL included',
    commands: 'all',
    group: 'Output:',
    setting: 'Everything, SQL included',
    commandLineOnly: true,
  },
]
