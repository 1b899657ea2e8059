import { duration } from '../yaml/units.js'
import { z } from '../yaml/schema.js'

/* The shapes of a list of tenants as they are written, in pools files, tenants files and perfdb.yaml alike. Nothing is transformed here. */
const name = z.string().min(1)

const tenantSchema = z.strictObject({
  id: z.union([name, z.number()]),
  server: name.optional(),
  url: name.optional(),
  database: name.optional(),
  role: name.optional(),
  schema: name.optional(),
  connection_limit: z.int().min(-1).optional(),
  labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})

const tenantsFromSchema = z.strictObject({
  ids_from: name,
  id_column: name.optional(),
  server: name.optional(),
  server_column: name.optional(),
  database_column: name.optional(),
  role_column: name.optional(),
  schema_column: name.optional(),
  url_column: name.optional(),
  url_template: name.optional(),
  label_columns: z.array(name).optional(),
})

const tenantsRegistrySchema = z.strictObject({
  registry: z.strictObject({
    url: name,
    sql: name,
    server: name.optional(),
    url_template: name.optional(),
    label_columns: z.array(name).optional(),
    ttl: duration.optional(),
  }),
  lookup: name.optional(),
  notify: name.optional(),
})

const tenantSchemasSchema = z.strictObject({
  schemas: z.strictObject({ url: name, like: name, ttl: duration.optional() }),
})

export const tenantsSchema = z.array(
  z.union([tenantSchema, tenantsFromSchema, tenantsRegistrySchema, tenantSchemasSchema]),
)

/** Sessions at once. */
export const limitsSchema = z.strictObject({
  per_server: z.int().min(1).optional().describe('On one server; 4 when left out'),
  total: z.int().min(1).optional().describe('On all servers; 16 when left out'),
})

const lists = { tenants: tenantsSchema.optional(), limits: limitsSchema.optional() }

/** A file that lists tenants: one of its own, or perfdb.yaml, whose other keys are read elsewhere. */
export const tenantsFileSchema = z.looseObject({
  ...lists,
  environments: z.record(z.string(), z.looseObject(lists)).optional(),
})

export type WrittenLimits = z.infer<typeof limitsSchema>
export type WrittenTenants = z.infer<typeof tenantsSchema>[number]
export type WrittenTenant = z.infer<typeof tenantSchema>
export type WrittenList = z.infer<typeof tenantsFromSchema>
export type WrittenLookup = z.infer<typeof tenantsRegistrySchema> | z.infer<typeof tenantSchemasSchema>
