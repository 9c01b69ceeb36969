// The kit behind HTTP: the route that answers with a fake of pkg/src/testing, and the one that drives it.
import { pipeline } from "node:stream/promises";
import { createFakeBookMore } from "../../pkg/dist/testing/index.js";
import { openCorsHeaders, sendText } from "./replay.mjs";
import { CREDENTIALS, setScenarios } from "./scenarios.mjs";

/** A fake that has the recorded host's companies and accepts its credentials. */
export function createKit(baseUrl) {
  const fake = createFakeBookMore({ baseUrl, ...CREDENTIALS });
  setScenarios(fake);
  return fake;
}

/** POST /fake/<method> with a JSON array of its arguments; GET /fake/requests: what came. */
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

/** Everything else goes to the fake; pages of any origin may ask. */
export function answerByKit(fake, exchanges) {
  const cors = Object.fromEntries(openCorsHeaders(exchanges));
  return async (req, res) => {
    if (req.method === "OPTIONS") {
      res.writeHead(200, { ...cors, "content-length": "0" }).end();
      return true;
    }
    const gone = new AbortController();
    res.once("close", () => res.writableEnded || gone.abort());
    // A browser sends this server the cookies of its neighbours on other ports, too.
    const { cookie = "", ...headers } = req.headers;
    if (/\bss-id=/.test(cookie)) headers.cookie = cookie;
    const hasBody = "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
    let reply;
    try {
      const init = { method: req.method, headers, signal: gone.signal, body: hasBody ? "" : undefined };
      reply = await fake.fetch(fake.baseUrl + req.url, init);
    } catch (error) {
      if (gone.signal.aborted) return true;
      if (error.name === "RequestMismatchError") sendText(res, 404, error.message);
      else req.socket.resetAndDestroy();
      return true;
    }
    res.sendDate = false; // the fake's clock tells it
    res.writeHead(reply.status, reply.statusText || undefined, { ...cors, ...Object.fromEntries(reply.headers) });
    res.flushHeaders();
    // A body that breaks off ends the connection.
    if (reply.body) await pipeline(reply.body, res).catch(() => res.destroy());
    else res.end();
    return true;
  };
}

async function textOf(req) {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) text += chunk;
  return text;
}
