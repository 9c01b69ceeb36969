// The building blocks of this folder's rows. Each row is a bug that users of some client reported, or one like it. It gets
// `{ sdk, slim, bytes }`: the package's two entries, and the bytes of the module. All rows run in every runtime.

export const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
export const COMPANIES = ["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", "3fa85f64-5717-4562-b3fc-2c963f66afa6"];

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const never = () => new Promise(() => {});

export function same(actual, expected, words = "") {
  const [given, wanted] = [actual, expected].map((value) => JSON.stringify(value) ?? String(value));
  if (given !== wanted) throw new Error(`${words} expected ${wanted}, got ${given}`);
}

export function holds(condition, words) {
  if (!condition) throw new Error(words);
}

export async function failure(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it succeeded with ${JSON.stringify(value)}`);
}

/** The reason with which a promise or thenable rejects. */
export const rejection = (promise) => promise.then(
  (value) => { throw new Error(`it succeeded with ${JSON.stringify(value)}`); },
  (thrown) => ({ thrown }),
);

export const reply = (body = USAGE, status = 200, headers = {}) =>
  new Response(status === 204 || status === 304 ? null : body, { status, headers: { "content-type": "application/json", ...headers } });

/** A fetch that returns what the list's functions make, the last one from then on, and counts its calls. */
export function scripted(...answers) {
  const fetch = (url, init) => {
    fetch.inits.push(init);
    return answers[Math.min(fetch.inits.length, answers.length) - 1](url, init);
  };
  fetch.inits = [];
  return fetch;
}

export const client = (sdk, fetch, options) =>
  new sdk.BookMoreClient({ baseUrl: "https://api.example/base", fetch, ...options });

/** Replaces globals, or members of objects, while `run` runs. */
export async function replaced(of, members, run) {
  const before = Object.entries(members).map(([name]) => [name, Object.getOwnPropertyDescriptor(of, name)]);
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(of, name, { value, writable: true, configurable: true });
  }
  try {
    return await run();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(of, name, descriptor);
      else delete of[name];
    }
  }
}

/** The rejections that are still unhandled a moment after `run`. */
export async function unheard(run) {
  const heard = [];
  const process = globalThis.process?.on ? globalThis.process : undefined;
  const listen = (event) => {
    event?.preventDefault?.();
    heard.push(String(event?.reason ?? event));
  };
  if (process) process.on("unhandledRejection", listen);
  else addEventListener("unhandledrejection", listen);
  try {
    await run();
    await pause(50);
  } finally {
    if (process) process.off("unhandledRejection", listen);
    else removeEventListener("unhandledrejection", listen);
  }
  return heard;
}

/** The globals of another realm: a frame's, or those of a context. */
export async function otherRealm() {
  if (globalThis.document) {
    const frame = document.body.appendChild(document.createElement("iframe"));
    return frame.contentWindow;
  }
  // By a name that bundlers do not resolve.
  const name = "node:vm";
  return (await import(name)).runInNewContext("globalThis");
}

/** The rows of a list, each with its subject in its name. */
export const each = (name, list, run) =>
  Object.fromEntries(list.map((row) => [`${name}: ${row[0]}`, (context) => run(context, row)]));

/** Runs rows one after the other or concurrently. Returns how many passed, and how the others failed. */
export async function runRows(rows, context, sideBySide = false) {
  const failures = [];
  let passed = 0;
  const run = async ([name, row]) => {
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(reject, 20_000, new Error("it takes more than 20 s"))));
    try {
      await Promise.race([row(context), late]);
      passed++;
    } catch (error) {
      failures.push(`${name}: ${error?.message ?? error}`);
    } finally {
      clearTimeout(timer);
    }
  };
  const all = Object.entries(rows);
  if (sideBySide) await Promise.all(all.map(run));
  else for (const one of all) await run(one);
  return { passed, failures };
}
