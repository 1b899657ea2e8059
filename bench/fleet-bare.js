import { readFileSync } from 'node:fs'
import postgres from 'postgres'

/* What a fleet is measured against: connects to each database of a list, runs one statement there and closes, so many at once. */
const [file, at] = process.argv.slice(2)
const { urls, sql } = JSON.parse(readFileSync(file, 'utf8'))
let next = 0
await Promise.all(
  Array.from({ length: Number(at) }, async () => {
    while (next < urls.length) {
      const client = postgres(urls[next++], { max: 1, fetch_types: false, onnotice: () => undefined })
      await client.unsafe(sql)
      await client.end()
    }
  }),
)
