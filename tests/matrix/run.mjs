// Runs the cells of the matrix and prints the table. `make matrix`.
import { readFileSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkOutcome } from "../package/expected.mjs";
import { App } from "./app.mjs";
import { stopBrowsers } from "./browsers.mjs";
import { NotRun } from "./not-run.mjs";
import { pack } from "./packed.mjs";
import { killAll } from "./processes.mjs";

const USAGE = `Usage: node tests/matrix/run.mjs [--only NAME...] [--quick] [--strict] [--list]

Packs pkg and installs the tarball in a fresh folder for each cell: a runtime, a
bundler, a test runner, a browser. Each cell asks the stand-in server for a usage.

Prints a Markdown table on standard output, and the progress on standard error.

  --only NAME...  only the cells whose name contains one of these words
  --quick         only the cells that take less than a minute, preparation included
  --strict        a cell that could not be run is a failure, too
  --list          print the names of the cells
  --help          print this text

Exit code 0 if no cell failed, 1 if one did, 2 for wrong options.
`;

const LIMIT = 4 * 60_000; // ms for one cell
const SLOW = 60; // seconds; a slower cell is left out of quick runs
const RECORDED = JSON.parse(readFileSync(new URL("../fixtures/outcomes.json", import.meta.url))).find(
  ({ id }) => id === "pascal/ok-json",
);

const progress = (text) => process.stderr.write(`${text}\n`);

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: "string", multiple: true },
        quick: { type: "boolean" },
        strict: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    if (positionals.length > 0 && !values.only) throw new Error(`"${positionals[0]}" is not an option; see --help.`);
    if (values.help) {
      process.stdout.write(USAGE);
      return undefined;
    }
    return { ...values, only: values.only && [...values.only, ...positionals] };
  } catch (error) {
    progress(error.message.split("\n")[0]);
    process.exitCode = 2;
    return undefined;
  }
}

async function main({ only, quick, strict, list }) {
  const groups = (await allGroups())
    .filter((group) => !quick || !group.slow)
    .map((group) => ({
      ...group,
      cells: group.cells.filter(
        ({ name }) => !only || only.some((word) => name.toLowerCase().includes(word.toLowerCase())),
      ),
    }))
    .filter(({ cells }) => cells.length > 0);
  if (list) return process.stdout.write(groups.flatMap(({ cells }) => cells.map(({ name }) => `${name}\n`)).join(""));
  if (groups.length === 0) {
    progress("No cell has such a name; --list prints the names.");
    process.exitCode = 2;
    return;
  }

  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, async () => {
      await Promise.race([stopBrowsers(), new Promise((resolve) => setTimeout(resolve, 5000))]);
      process.exit(130); // everything still running ends with this process
    });
  }

  const started = Date.now();
  const tarball = await pack();
  const rows = [];
  try {
    for (const group of groups) rows.push(...(await runGroup(group, tarball.file)));
  } finally {
    await stopBrowsers();
    killAll();
    tarball.remove();
  }

  const count = (mark) => rows.filter((row) => row.mark === mark).length;
  process.stdout.write(table(rows, tarball));
  progress(`\n${Math.round((Date.now() - started) / 1000)} s; ${count("not run")} not run`);
  const failed = rows.filter(({ mark }) => mark === "✘" || (strict && mark === "not run"));
  for (const { name, reason } of failed) progress(`✘ ${name}: ${firstLine(reason)}`);
  progress(`${count("✔")} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** The groups that the files in `cells` export. */
async function allGroups() {
  const folder = new URL("cells/", import.meta.url);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".mjs"))
    .sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder))));
  return modules.flatMap((module) => module.default);
}

/**
 * Runs the cells of a group, one after the other in one app.
 *
 * @param {object} group
 *   `fixtures`, `packages`, `node`, `tools`: see `App.create`;
 *   `slow`: whether it takes a minute or more, so that `--quick` leaves it out;
 *   `prepare(app)`: run once, for example a build that all cells share;
 *   `cells`: `{ name, packages, run(app, prepared), error, calls }`.
 *   `run` returns the outcome of the call, `{ usage }` or `{ error }`. It must be the recorded usage
 *   or, if the cell has an `error`, an error with these members. `calls: 0`: the API is not called.
 *   If a cell has `tests`, `run` instead runs that many tests and returns `{ passed }`.
 */
async function runGroup(group, tarball) {
  let app, prepared;
  let broken; // why no cell can be run
  const seconds = stopwatch();
  try {
    await App.fetchPackages(group);
    seconds(); // installation is not counted
    app = await within(LIMIT, App.create(group, tarball));
    prepared = await within(LIMIT, group.prepare?.(app));
  } catch (error) {
    broken = error;
  }
  const rows = [];
  const preparation = seconds();
  for (const cell of group.cells) {
    const versions = new Set(app?.versions);
    let failure = broken;
    try {
      if (!failure) await within(LIMIT, runCell(cell, app, prepared));
    } catch (error) {
      failure = error;
    }
    const mark = !failure ? "✔" : failure instanceof NotRun ? "not run" : "✘";
    rows.push({ name: cell.name, versions: [...(app?.versions ?? [])], mark, reason: failure?.message });
    const isFirst = rows.length === 1;
    const took = seconds();
    progress(`${mark} ${cell.name} (${took} s${isFirst ? `, after ${preparation} s of preparation` : ""})`);
    if (!group.slow && Number(took) + (isFirst ? Number(preparation) : 0) >= SLOW)
      progress("    This took over a minute. If it does on an idle machine, mark the group as `slow`.");
    if (failure && (failure !== broken || isFirst)) progress(failure.message.replaceAll(/^/gm, "    "));
    if (app) app.versions = versions; // a later cell may use another browser
    if (mark === "✘") await stopBrowsers(); // so that no stuck page affects the next cell
  }
  await app?.close();
  return rows;
}

/** Returns the seconds since its last call. */
function stopwatch() {
  let last = Date.now();
  return () => {
    const begun = last;
    last = Date.now();
    return ((last - begun) / 1000).toFixed(1);
  };
}

async function runCell({ run, packages = [], error: expected, tests, calls: expectedCalls = tests ? 0 : 1 }, app, prepared) {
  app.forgetCalls();
  for (const name of packages) app.uses(name);
  const outcome = await run(app, prepared);
  if (tests) {
    if (outcome.passed !== tests) throw new Error(`${outcome.passed} tests passed instead of ${tests}.`);
  } else if (expected) {
    for (const [key, value] of Object.entries(expected)) {
      const actual = outcome.error?.[key];
      const fits = value instanceof RegExp ? value.test(actual) : value === actual;
      if (!fits)
        throw new Error(`The outcome is ${JSON.stringify(outcome)} instead of an error whose ${key} is ${value}.`);
    }
  } else {
    try {
      checkOutcome(RECORDED, outcome);
    } catch {
      throw new Error(
        `The outcome is ${JSON.stringify(outcome)} instead of ${JSON.stringify({ usage: RECORDED.usage })}.`,
      );
    }
  }
  // More than one is allowed, because a dev server may render a page twice.
  if (Math.min(app.calls, 1) !== expectedCalls) throw new Error(`The API got ${app.calls} requests.`);
}

/** Rejects after `limit` milliseconds, and stops everything that the app has started. */
async function within(limit, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      killAll();
      reject(new Error(`It took more than ${limit / 60_000} minutes.`));
    }, limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const firstLine = (text) => text.split("\n")[0].slice(0, 300);

function table(rows, { version, bytes }) {
  // The table shows the first sentence; standard error has the rest.
  const cell = (text) => firstLine(text).replaceAll("|", "\\|");
  const lines = rows.map(
    ({ name, versions, mark, reason }) =>
      `| ${name} | ${cell(versions.join(", "))} | ${mark}${reason ? `: ${cell(reason)}` : ""} |`,
  );
  const heading =
    `bookmore-sdk ${version}, a tarball of ${bytes} bytes, on ${process.platform} ${process.arch}. ` +
    `Tools ran on Node.js ${process.versions.node} unless another version is named.`;
  return [heading, "", "| cell | versions | |", "|---|---|---|", ...lines, ""].join("\n");
}

const options = readOptions();
if (options) await main(options);
