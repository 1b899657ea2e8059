/** The one door to zod: schemas of profiles, pool configs and result documents are written with this `z`. */
export { z } from 'zod'
