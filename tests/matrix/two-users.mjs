// An API with two users, each with a company of its own. Its answers are slow, and each has a higher usage than the last.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { answer } from "../../pkg/dist/cli/http.js";
import { createFakeBookMore } from "../../pkg/dist/testing/index.js";

/** The tokens used at first, of 1 000 000, by bearer token. */
export const USERS = { alice: 100_000, bob: 600_000 };

const CORS = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization" };

/** `requests`: `{ user, isFromPage }` of each; `close()`. */
export async function startTwoUsers() {
  const fakes = new Map();
  for (const [user, tokensUsed] of Object.entries(USERS)) {
    const fake = createFakeBookMore({ bearerToken: user });
    fake.set(undefined, { tokensUsed, tokenLimit: 1_000_000 });
    fakes.set(`Bearer ${user}`, { user, fake });
  }
  const requests = [];
  const server = createServer(async (req, res) => {
    const { user, fake } = fakes.get(req.headers.authorization) ?? { user: "nobody", fake: createFakeBookMore({ bearerToken: "none" }) };
    if (req.method === "GET") {
      requests.push({ user, isFromPage: req.headers.origin !== undefined });
      await pause(Math.random() * 200);
      fake.record(undefined, 1_000);
    }
    await answer(fake, req, res, CORS);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
