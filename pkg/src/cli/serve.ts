import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createFakeBookMore, type FakeBookMore } from "bookmore-sdk/testing";
import { nearest } from "../nearest.js";
import { CORS_POLICIES } from "../testing/cors.js";
import { EMPTY, guidDigits } from "../testing/guid.js";
import { companyIn, pathOf } from "../testing/request.js";
import { numberOf, oneOf, parsed } from "./arguments.js";
import { badArguments, EXIT, messageOf } from "./exit.js";
import { answer } from "./http.js";
import { print } from "./output.js";
import { SCENARIOS } from "./scenarios.js";

type Answers = Parameters<FakeBookMore["set"]>[1];

/** `bookmore-sdk serve`. */
export async function serve(args: string[], signal: AbortSignal): Promise<number> {
  const string = { type: "string" } as const;
  const { values, positionals } = parsed(args, { port: string, share: string, scenario: string, cors: string });
  if (positionals.length > 0) throw badArguments(`serve takes no ${JSON.stringify(positionals[0])}; see --help.`);
  const port = numberOf("port", values.port, 0, 65_535) ?? 8787;
  const percent = numberOf("share", values.share, 0, 100_000, false) ?? 0;
  const scenario = scenarioOf(values.scenario);
  const cors = oneOf("cors", values.cors, CORS_POLICIES);
  const server = createServer();
  await listening(server, port);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake = createFakeBookMore({ baseUrl: url, cors });
  /** Answers below /moved, where the scenario "moved" redirects to. */
  const moved = createFakeBookMore({ baseUrl: url, cors });
  const own = guidDigits(fake.companyId)!;
  const known = new Set<string>();
  /** Sets up each company as requested at its first request. */
  const enter = (digits: string) => {
    if (known.has(digits)) return;
    known.add(digits);
    for (const each of [fake, moved]) each.set(digits, { share: percent / 100 });
    if (scenario) fake.set(digits, scenario);
  };
  try {
    enter(own);
  } catch (error) {
    throw badArguments(`--scenario: ${messageOf(error)}`);
  }
  server.on("request", (req, res) => {
    const address = URL.canParse(url + req.url) ? new URL(url + req.url) : undefined;
    const digits = address && guidDigits(companyIn(address) ?? own);
    // Not a Guid: the fake refuses it, as the API does.
    if (digits) enter(digits === EMPTY ? own : digits);
    // Nobody reads the recorded requests, and the server may run for days.
    for (const { requests } of [fake, moved]) (requests as unknown[]).length = 0;
    res.once("close", () => void print(`${req.method} ${address ? pathOf(address) : "(no path)"} ${res.headersSent ? res.statusCode : "no reply"}\n`));
    const isMoved = req.url!.startsWith("/moved/");
    if (isMoved) req.url = req.url!.slice("/moved".length);
    answer(isMoved ? moved : fake, req, res, corsFor(req)).catch((error: unknown) => res.destroy(error as Error));
  });
  await print(`BookMore API: ${url}\nnew BookMoreClient({ baseUrl: "${url}", bearerToken: "any" })\nStop with Ctrl+C.\n`);
  if (!signal.aborted) await once(signal, "abort");
  server.close();
  server.closeAllConnections();
  return EXIT.fine;
}

function scenarioOf(given: string | undefined): Answers | undefined {
  if (given === undefined) return undefined;
  if (/^\s*[[{]/.test(given)) {
    try {
      return JSON.parse(given) as Answers;
    } catch (error) {
      throw badArguments(`--scenario is not JSON: ${messageOf(error)}.`);
    }
  }
  if (Object.hasOwn(SCENARIOS, given)) return SCENARIOS[given];
  const meant = nearest(given, Object.keys(SCENARIOS));
  throw badArguments(`There is no scenario ${JSON.stringify(given)}${meant ? `; did you mean ${meant}?` : `. There are ${Object.keys(SCENARIOS).join(", ")}.`}`);
}

async function listening(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "EADDRINUSE" ? "is in use" : `cannot be used (${error.code})`;
    throw badArguments(`Port ${port} ${reason}; choose another one with --port, or 0 for any free one.`);
  });
}

/** CORS headers that allow any origin, cookies and any request header. */
function corsFor({ headers }: IncomingMessage): Record<string, string> {
  const { origin } = headers;
  return {
    "access-control-allow-origin": origin ?? "*",
    ...(origin === undefined ? {} : { "access-control-allow-credentials": "true", vary: "Origin" }),
    "access-control-allow-methods": "GET, OPTIONS",
    "access-control-allow-headers": String(headers["access-control-request-headers"] ?? "authorization, x-api-key"),
    "access-control-allow-private-network": "true",
    "access-control-expose-headers": "retry-after, retry-after-ms",
    "access-control-max-age": "600",
  };
}
