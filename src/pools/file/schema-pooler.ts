import { z } from '../../yaml/schema.js'
import { poolerKindNames } from '../sums/pooler-kinds.js'
import { duration } from '../../yaml/units.js'

const count = z.int().min(0)
const positive = z.int().min(1)
const name = z.string().min(1)
const limitsBy = z.union([count, z.record(z.string(), count)])

/** A pooler as pgbouncer.ini would set it. https://www.pgbouncer.org/config.html */
export const poolerSchema = z.strictObject({
  kind: z.enum(poolerKindNames),
  server: name.optional(),
  url: name.optional(),
  admin_url: z.union([name, z.array(name).min(1)]).optional(),
  replicas: positive.optional(),
  pool_mode: z.enum(['session', 'transaction', 'statement']).optional(),
  max_client_conn: positive.optional(),
  client_max: positive.optional(),
  pool_size: count.optional(),
  min_pool_size: count.optional(),
  num_init_children: positive.optional(),
  max_pool: positive.optional(),
  max_connections_percent: z.int().min(1).max(100).optional(),
  borrow_timeout: duration.optional(),
  max_prepared_statements: count.optional(),
  cores: positive.optional(),
  default_pool_size: count.optional(),
  reserve_pool_size: count.optional(),
  query_wait_timeout: duration.optional(),
  max_db_connections: limitsBy.optional(),
  max_user_connections: limitsBy.optional(),
  users: z
    .record(
      z.string(),
      z.strictObject({
        pool_size: count.optional(),
        reserve_pool_size: count.optional(),
        max_user_connections: count.optional(),
      }),
    )
    .optional(),
  databases: z
    .record(
      z.string(),
      z.strictObject({
        server: name.optional(),
        database: name.optional(),
        user: name.optional(),
        users: z.array(name).optional(),
        pool_size: count.optional(),
        reserve_pool_size: count.optional(),
      }),
    )
    .optional(),
})
