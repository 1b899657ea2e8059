import { hazardCodes } from '../codes/hazard-codes.js'
import { z } from '../yaml/schema.js'
import { duration, size } from '../yaml/units.js'
import { configFormats, type SettingKey } from './config-keys.js'

const text = z.string().min(1)
const count = z.int().min(1)

const report = new RegExp(`^(${configFormats.join('|')})=.+$`)

/** Texts as on the command line, whose own parsers read them; here they only must look right, so that an editor can tell. */
const settings = {
  url: text
    .optional()
    .describe(
      'Where to connect, or "embedded" for a private server; take it from the environment: ${DATABASE_URL}. PERFDB_URL, DATABASE_URL and --url beat it',
    ),
  load: text
    .optional()
    .describe('With url embedded: a SQL script that the new server runs first, relative to this file'),
  profiles: z
    .array(text)
    .optional()
    .describe('Profiles that are used when none is named: files, folders or globs, relative to this file'),
  pools: z
    .array(text)
    .optional()
    .describe('Pool configs that check-pool uses when none is named: files, folders or globs, relative to this file'),
  allow: z
    .array(z.enum(hazardCodes))
    .optional()
    .describe('Hazards that are allowed without --allow; --allow adds to them'),
  prune: z.boolean().optional().describe('Drop what perfdb built and no profile declares any more'),
  max_size: size.optional().describe('An index that would be larger is a hazard (LARGE_BUILD); 50GB when left out'),
  max_wait: duration
    .optional()
    .describe('How long a build may wait for one transaction without progress; 10min when left out'),
  lock_wait: duration.optional().describe('How long to wait for another run of perfdb; 0s when left out'),
  jobs: count.optional().describe('Tables to build on side by side; each takes a connection more'),
  retries: z.int().min(0).optional().describe('Tries after a failure that passes by itself; 2 when left out'),
  on_queue: z
    .enum(['report', 'cancel-build', 'cancel-waiter'])
    .optional()
    .describe('About a statement queued behind a build, which would end it with a deadlock'),
  on_disconnect: z
    .enum(['cancel', 'finish'])
    .optional()
    .describe('What the server does with a build whose client is gone'),
  window: z
    .string()
    .regex(/^\d{1,2}:\d\d-\d{1,2}:\d\d$/, { error: 'expected a window such as 22:00-05:00' })
    .optional()
    .describe("Start builds only then, by the server's clock: 22:00-05:00"),
  max_lag: duration.optional().describe('Start no build while a replica is further behind'),
  ledger: z.boolean().optional().describe('false keeps no record in the schema perfdb of the database'),
  measure: z.boolean().optional().describe('false builds without measuring the queries'),
  samples: count.optional().describe('Samples of a query at most; 101 when left out'),
  time_budget: duration.optional().describe('Time for the samples of a query at most; 5s when left out'),
  statement_timeout: duration.optional().describe('explain ends a query that takes longer; 30s when left out'),
  baseline: text.optional().describe('The kept baseline that explain compares with, relative to this file'),
  exit_code: z.boolean().optional().describe('plan exits 1 when there is something to do'),
  offline: z.boolean().optional().describe('check-pool uses the limits of the file and needs no server'),
  fail_on: z.enum(['fail', 'warn']).optional().describe('check-pool exits 1 from this verdict on'),
  format: z.enum(configFormats).optional().describe('Of the result on stdout; text when left out'),
  report: z
    .array(z.string().regex(report, { error: `the form is FORMAT=FILE; formats: ${configFormats.join(', ')}` }))
    .optional()
    .describe('Files that get the result as well, as FORMAT=FILE, relative to this file: html=perfdb.html'),
  color: z.enum(['auto', 'always', 'never']).optional().describe('Colours; auto looks at the terminal and NO_COLOR'),
  quiet: z.boolean().optional().describe('No progress'),
  verbose: z.boolean().optional().describe('Everything, SQL included'),
} satisfies Record<SettingKey, z.ZodType>

/** The settings that are in force, whichever part of the file they stand in. */
export const settingsSchema = z.strictObject(settings)

/** For the file as it was written, whatever it holds. */
export const anySchema = z.unknown()

/** perfdb.yaml: settings, and for each environment those that are different there. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('The JSON Schema of this file, for editors'),
    version: z.literal(1).describe('The version of this format: 1'),
    ...settings,
    environments: z
      .record(text, settingsSchema.meta({ description: 'Settings that beat those of the top level there' }))
      .optional()
      .describe('By name, chosen with --env NAME or PERFDB_ENV; each beats the top level key by key'),
  })
  .meta({ title: 'perfdb.yaml', description: 'What perfdb uses when the command line does not say' })
