// The fake of pkg/src/testing behind HTTP: the route that it answers, and the one that controls it.
import { answer } from "../../pkg/dist/cli/http.js";
import { createFakeBookMore } from "../../pkg/dist/testing/index.js";
import { openCorsHeaders, sendText } from "./replay.mjs";
import { CREDENTIALS, setScenarios } from "./scenarios.mjs";

/** A fake with the recorded host's companies and credentials. */
export function createKit(baseUrl) {
  const fake = createFakeBookMore({ baseUrl, ...CREDENTIALS });
  setScenarios(fake);
  return fake;
}

/** POST /fake/<method> with a JSON array of its arguments; GET /fake/requests: the requests received. */
export function driveKit(fake) {
  const methods = ["set", "record", "advance", "reset"];
  return async (req, res) => {
    const [, name] = /^\/fake\/(\w+)$/.exec(req.url) ?? [];
    if (!name) return false;
    if (name === "requests" && req.method === "GET") return sendText(res, 200, JSON.stringify(fake.requests)), true;
    if (!methods.includes(name) || req.method !== "POST") {
      sendText(res, 404, `There are POST ${methods.map((method) => `/fake/${method}`).join(", ")} and GET /fake/requests`);
      return true;
    }
    try {
      const given = JSON.parse((await textOf(req)) || "[]");
      if (!Array.isArray(given)) throw new TypeError("The body must be a JSON array of arguments, such as [null, 500].");
      // JSON has no undefined: null stands for the logged-in user's company.
      const [first, ...rest] = given;
      fake[name](first ?? undefined, ...rest);
      if (name === "reset") setScenarios(fake);
      sendText(res, 200, "ok");
    } catch (error) {
      sendText(res, 400, error.message);
    }
    return true;
  };
}

/** Everything else goes to the fake, from pages of any origin. */
export function answerByKit(fake, exchanges) {
  const cors = Object.fromEntries(openCorsHeaders(exchanges));
  return async (req, res) => {
    await answer(fake, req, res, cors);
    return true;
  };
}

async function textOf(req) {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) text += chunk;
  return text;
}
