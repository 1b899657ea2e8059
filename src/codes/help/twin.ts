import type { Explanation } from './explanation.js'

/** Findings about a twin, a private server that plans as another one does, and about what is advised by it. */
export const twinTexts = {
  HOLDS_VALUES: {
    text: 'a statistics file holds values of rows',
    why: 'Most common values, histograms and the ends of indexes are data of people; who has the file has them.',
    rule: 'perfdb statistics without --no-values.',
    todo: 'Keep the file as you keep the data, or leave values out.',
    option: '--no-values, --hide',
  },
  TWIN_PARTIAL: {
    text: 'something of the database is not on its twin',
    why: 'Query plans that lean on it may differ there.',
    rule: 'Statistics that the role is not shown, extended statistics, what of the schema could not be made or restored, or a constant of a query that a statistics file without values does not know.',
    todo: 'Paste the grant, or look at how many query plans are equal all the same.',
  },
  NO_STATEMENTS: {
    text: 'nobody knows which queries a server runs',
    why: 'advise --baseline then takes each query for new, also one that has run for years; --top has nothing to look at.',
    rule: 'pg_stat_statements was not there or could not be read when a statistics file was taken, or perfdb was older than 0.2; or --top finds no statement in it that reads a table.',
    todo: 'Take the statistics anew where the extension exists, as a member of pg_read_all_stats; ask for --top when the application has run.',
    option: '--exit-code, --top',
  },
  CANDIDATES_LEFT: {
    text: 'not every index that could serve was tried',
    why: 'There may be a better one among those that were left.',
    rule: 'Over 300 candidates; the 300 for the queries with the highest cost, by their weights, are built on the twin.',
    todo: 'Ask for fewer queries at once, or again when the advice is built.',
  },
  LIMIT_GUESS: {
    text: 'a gain rests on where the rows lie that a query wants',
    why: 'The planner takes rows that pass a filter for evenly spread in the order of the index. Where they come last the query reads nearly all of the others first, and is slower than now.',
    rule: 'advise: with an advised index a query ends early by LIMIT, leaves rows out by a filter that is not in the index, and costs more than now if it has to read all.',
    todo: 'advise --prove, or explain (analyze) once it is built. An index on the rows that pass alone (where ...) is safe: give the query with its constants.',
  },
  CONSTANTS_UNKNOWN: {
    text: 'a partial index might serve a query, and its constants are not known',
    why: 'pg_stat_statements keeps $1 for every constant: an index for the values of the statistics would hold rows that nobody asks for.',
    rule: 'A query leaves rows out (<>, NOT IN) by a parameter, on a table of 50 pages or more.',
    todo: 'Where the application always says the same values, give the query with them, in a file beside --top: it then stands for the counted one.',
    option: '--top',
  },
  TRIGRAMS_UNTRIED: {
    text: 'pg_trgm might serve a pattern, and was not tried',
    why: 'LIKE with a wildcard in front, ILIKE and regular expressions are served by trigrams alone.',
    rule: 'The server lacks the extension; and the twin cannot have it, a statistics file stands for the server, or --prove may create no extension.',
    todo: 'Create the extension, and advise again.',
    option: '--allow CREATE_EXTENSION',
  },
  TWIN_DIFFERS: {
    text: 'the twin does not plan a query as the server does',
    why: 'What the twin says of this query with another index would be a guess.',
    rule: 'Its present query plans there and on the twin have other nodes, costs that differ by more than a tenth, or estimates of rows by more than half.',
    todo: 'ANALYZE its tables, take new statistics, or try the index on a copy.',
  },
  NO_TWIN: {
    text: 'no twin of the server could be made',
    why: '--what-if asks a private server that plans as this one does.',
    rule: 'The embedded server is not installed, its file system has no sparse files, or it runs on Windows.',
    todo: 'Install it (--yes), or have HypoPG asked.',
    option: '--what-if-engine hypopg',
  },
  MISSING_INDEX: {
    text: 'an index that does not exist would help a query',
    why: 'It was built on a twin, where the planner took it and estimates the query at a lower cost.',
    rule: 'advise, in formats that show findings at the lines of files: each query that an advised index serves.',
    todo: 'Declare the index with the change that needs it, and let apply measure what it brings.',
    option: '--min-gain, --exit-code',
  },
  STANDBY_UNASKED: {
    text: 'an index is not scanned here, and a standby was not asked',
    why: 'Scans are counted by each node for itself: the reads of a standby may need the index.',
    rule: 'advise finds an index without a scan on the server, and pg_stat_replication shows a standby that --replicas does not name.',
    todo: 'Name the standbys: the index is then advised to go, or stays.',
    option: '--replicas',
  },
  TAKEN_BACK: {
    text: 'what an earlier advise --prove left when it was killed was dropped',
    why: 'It was not measured to its end, so that nobody knows which of its indexes pay.',
    rule: 'A run of advise --prove in the ledger has no end, and perfdb advise --prove is run again.',
    todo: 'Nothing: what still helps is advised, built and measured anew.',
    option: '--prove',
  },
  LEFT_BEHIND: {
    text: 'an index that was not shown to pay could not be dropped again',
    why: 'advise --prove leaves only what it measured to pay.',
    rule: 'DROP INDEX CONCURRENTLY failed or had to be given up, or somebody changed the index meanwhile.',
    todo: 'Undo the run once nothing is in the way: perfdb rollback N.',
    option: '--prove',
  },
} as const satisfies Readonly<Record<string, Explanation>>
