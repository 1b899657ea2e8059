import { text } from 'node:stream/consumers'
import { parse } from 'junit2json'

/* Reads a JSON list of JUnit documents from stdin and prints what a reader of such reports makes of each, as a JSON list. */

const read = []
for (const xml of JSON.parse(await text(process.stdin))) read.push(await parse(xml))
process.stdout.write(JSON.stringify(read))
