import { hazardCodes } from '../plan/plan.js'
import { z } from '../yaml/schema.js'

/** perfdb.yaml. */
export const configSchema = z.strictObject({
  version: z.literal(1),
  url: z.string().optional().describe('where to connect; take it from the environment: ${DATABASE_URL}'),
  profiles: z.array(z.string()).optional().describe('profiles that are used when none is named'),
  pools: z.array(z.string()).optional().describe('pool configs that check-pool uses when none is named'),
  allow: z.array(z.enum(hazardCodes)).optional().describe('hazards that are allowed without --allow'),
})
