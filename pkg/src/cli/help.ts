import { CORS_POLICIES } from "../testing/cors.js";
import { SCENARIOS } from "./scenarios.js";

export type CommandName = "usage" | "serve" | "explain" | "doctor";

const GENERAL = `Usage: bookmore-sdk <command> [options]

  usage     how many AI-assistant tokens companies have used
  serve     a BookMore API for front-ends that have no backend yet
  explain   how the client interprets a saved reply
  doctor    why calls fail, and how to fix it

  --help    print this text, or the help of a command
  --version print the version

Examples:
  bookmore-sdk usage --file companies.txt
  bookmore-sdk serve --share 83
  curl -i … | bookmore-sdk explain -
`;

const USAGE = `Usage: bookmore-sdk usage [ids… | --file FILE | -] [options]

Shows how many AI-assistant tokens companies have used: a table, or data with --json or --jsonl. Without ids it asks
for the logged-in user's company. Data goes to standard output, everything else to standard error.

Which companies:
  --file FILE            ids, a line each; blank lines and anything after a # are skipped
  -                      the same from standard input

Credentials and server, from the environment:
  BOOKMORE_TOKEN         the bearer token, or
  --token-file FILE      a file with the token, read again if the token is refused, or
  BOOKMORE_TOKEN_COMMAND a shell command that prints a token within 30 s, run again if the token is refused
  BOOKMORE_API_KEY       sent as x-api-key
  BOOKMORE_URL           the API's base URL (https://api.bookmore.com)
  --url URL              the same, instead of BOOKMORE_URL

Output:
  --json                 one array
  --jsonl                one object a line, as they arrive
  --sort ORDER           share or used (both descending), or id; otherwise in the given order
  --fail-at PERCENT      exit code 3 if a company has used this much of its limit
  --append FILE          appends a line of JSON with the time for each company to FILE

Requests:
  --concurrency N        how many at once (6)
  --timeout SECONDS      how long one company may take (30), and each of its requests (10)
  --format FORMAT        json or jsonl: the format that the server writes
  --watch                again and again, until Ctrl+C
  --interval SECONDS     between two rounds of --watch (60; at least 5)

Exit code 0: fine. 1: some failed. 2: wrong arguments. 3: --fail-at is reached. 4: credentials are missing or refused.
130: Ctrl+C. If several apply, the highest.

Examples:
  bookmore-sdk usage 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c
  bookmore-sdk usage --file companies.txt --sort share --fail-at 90
  psql -Atc 'select id from companies' | bookmore-sdk usage - --jsonl | jq .tokensRemaining
  BOOKMORE_TOKEN_COMMAND='my-login print-token' bookmore-sdk usage --file companies.txt --append usage.jsonl
`;

const SERVE = `Usage: bookmore-sdk serve [options]

Starts a BookMore API on this machine, in memory, for front-ends without a backend. It allows pages of any origin and
accepts any token. Each company has the same usage, or the same failure.

  --port N               0 for any free one (8787)
  --share PERCENT        how much of its limit each company has used (0)
  --scenario NAME        the answers instead: ${Object.keys(SCENARIOS).slice(0, 4).join(", ")},
                         ${Object.keys(SCENARIOS).slice(4, 10).join(", ")},
                         ${Object.keys(SCENARIOS).slice(10).join(", ")};
                         or JSON, with the values of bookmore-sdk/testing
  --cors POLICY          instead of allowing any origin: ${CORS_POLICIES.slice(0, 4).join(", ")},
                         ${CORS_POLICIES.slice(4).join(", ")}

Examples:
  bookmore-sdk serve --share 83
  bookmore-sdk serve --port 0 --scenario rate-limited
  bookmore-sdk serve --scenario '[{ "status": 503, "times": 2 }, { "share": 0.5 }]'
`;

const EXPLAIN = `Usage: bookmore-sdk explain <file|-> [options]

Shows how the client would interpret a saved reply: the status line, the headers and the body, as \`curl -i\` prints
them. Nothing is sent.

  --company ID           the requested company, to check that the reply is for it

Examples:
  bookmore-sdk explain reply.txt
  curl -si -H "Authorization: Bearer $BOOKMORE_TOKEN" -H 'Accept: application/json' \\
    https://api.bookmore.com/assistant/ai-chat/usage | bookmore-sdk explain -
`;

const DOCTOR = `Usage: bookmore-sdk doctor [company] [options]

Tries what a call needs, step by step: the name, the connection, TLS, a proxy, the server, and one real call. Names what
prevents calls, and how to fix it.

Credentials and server are those of the command usage: BOOKMORE_TOKEN, BOOKMORE_TOKEN_COMMAND or BOOKMORE_API_KEY,
--token-file; BOOKMORE_URL or --url. Only the call sends the credentials.

  --origin URL           asks as a browser would for a page of this origin, the preflight (OPTIONS) included
  --headers NAMES        what the page sends, names alone: authorization,x-tenant, or none
                         (those of the credentials)
  --credentials          the page sends cookies: credentials: "include"
  --token-file FILE      a file with the token
  --url URL              the API's base URL, instead of BOOKMORE_URL
  --json                 the steps and the findings, as data

Exit code 0: nothing prevents calls (there may be notes). 1: something does. 2: invalid arguments.
4: credentials are missing, refused, or not sendable over plain http. 130: Ctrl+C.

Examples:
  bookmore-sdk doctor
  bookmore-sdk doctor --origin https://app.example --headers authorization
  bookmore-sdk doctor --url https://api.example 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c --json
`;

/** The help of each command, and the general help. */
export const HELP: Record<CommandName | "", string> = { "": GENERAL, usage: USAGE, serve: SERVE, explain: EXPLAIN, doctor: DOCTOR };
