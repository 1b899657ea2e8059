/** The day on which the demo's data ends; the parameters in profiles/job-shop.yaml take it for today. */
export const demoToday = '2025-06-30'
/** SQL of the latest moment that any row holds. */
export const endOfToday = `timestamptz '${demoToday} 18:00+00'`

export const operations =
  `Sawing,Laser cutting,Plasma cutting,Water jet,Shearing,Punching,Milling,Turning,Drilling,Grinding,Honing,Broaching,
Welding,Brazing,Riveting,Bonding,Screwing,Pressing,Deburring,Blasting,Painting,Plating,Anodising,Inspection`.split(
    /,\n?/,
  )
export const firstNames = words('Anna Ben Clara David Emma Felix Grace Henry Ida Jonas Lena Max Nora Paul')
export const trades =
  words(`Metalworks Steel Tools Plant Machines Pumps Valves Fittings Gears Motors Cranes Boats Rail Solar Wind
  Medical Optics Food Paper Print Glass Wood Stone Toys`)
export const legalForms = words('GmbH Ltd AG SARL BV Inc')
export const parts = words('Flange Shaft Bracket Housing Cover Bush Gear Plate Spindle Manifold Lever Clamp')
export const materials = [
  'mild steel',
  'stainless steel',
  'aluminium',
  'brass',
  'bronze',
  'titanium',
  'cast iron',
  'plastic',
]
const surnameStarts = words(
  'Lind Stone Berg Wald Hart Rose Winter Silver Church Sand Brück Öster Eich North Grün Mühl Alt Neu Fern Holm',
)
const surnameEnds = words(
  'berg field mann er ström bach hof wood stein bauer dorf haus born ley ton gren quist ford well kamp',
)

/** SQL of one of 400 surnames for row n; those that start with Lind and Stone are the common ones. */
export function surname(salt: number): string {
  return `${pickSkewed('n', salt, surnameStarts)} || ${pick('n', salt + 1000, surnameEnds)}`
}

/**
 * SQL of a number from 0 to sides - 1 that depends on `of` and the salt alone. hashint8extended places rows of hash-partitioned
 * tables, so its values cannot change between versions (src/backend/access/hash/hashfunc.c); those of random() may.
 */
export function roll(of: string, salt: number, sides: number): string {
  return `((hashint8extended(${of}, ${salt}) & 1073741823) % ${sides})::int`
}

/** As roll, but low numbers come far more often: the product of two rolls. 0 of 100 comes in 5.6 %, 99 in 0.005 %. */
export function skewed(of: string, salt: number, sides: number): string {
  return `(${roll(of, salt, 10_000)}::bigint * ${roll(of, salt + 1, 10_000)} * ${sides} / 100000000)::int`
}

/** SQL of one of the values, each as often as the others. */
export function pick(of: string, salt: number, values: readonly string[]): string {
  return `(${textArray(values)})[1 + ${roll(of, salt, values.length)}]`
}

/** SQL of one of the values, the first far more often than the last. */
export function pickSkewed(of: string, salt: number, values: readonly string[]): string {
  return `(${textArray(values)})[1 + ${skewed(of, salt, values.length)}]`
}

/** SQL of an array; the values hold no quotes. */
export function textArray(values: readonly string[]): string {
  return `array[${values.map((value) => `'${value}'`).join(', ')}]`
}

/** SQL of a moment of three years up to today in the order of n, so that created_at goes with id as in tables that grew. */
export function createdAt(n: string, rows: number): string {
  const seconds = 1095 * 86_400
  return `(timestamptz '${demoToday} 12:00+00' - interval '1 second' * ((${rows} - ${n})::bigint * ${seconds} / ${rows} + ${roll(n, 99, 3_600)}))`
}

/** SQL of a moment after `from` and before the end of today, some days later at most. In seconds: days depend on the time zone. */
export function laterThan(from: string, days: number, of: string, salt: number): string {
  return `${from} + interval '1 second' * (least(${days * 86_400}, extract(epoch from ${endOfToday} - ${from})) * ${roll(of, salt, 10_000)} / 10000)::int`
}

function words(text: string): readonly string[] {
  return text.split(/\s+/)
}
