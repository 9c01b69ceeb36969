import { nearest } from "../nearest.js";
import { unreadVariables, VARIABLES } from "./credentials.js";
import { Failure, messageOf, EXIT } from "./exit.js";
import { doctor } from "./doctor.js";
import { explain } from "./explain.js";
import { HELP, type CommandName } from "./help.js";
import { print, say, watchOutput } from "./output.js";
import { serve } from "./serve.js";
import { usage } from "./usage.js";

/** The package's version; the build inserts it. */
declare const VERSION: string;

/** A command: takes its arguments, and a signal that interrupts it. */
type Command = (args: string[], signal: AbortSignal) => Promise<number>;

const COMMANDS: Record<CommandName, Command> = { usage, serve, explain, doctor };

async function main(args: string[], signal: AbortSignal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--version" || name === "-v") return told(`${VERSION}\n`);
  if (isHelp(name)) return told(HELP[""]);
  if (!Object.hasOwn(COMMANDS, name)) {
    if (name === "") say(HELP[""]);
    else {
      const meant = nearest(name.replace(/^-+/, ""), Object.keys(COMMANDS));
      say(`There is no command ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : "; see --help."}`);
    }
    return EXIT.badArguments;
  }
  const end = rest.indexOf("--");
  const options = end < 0 ? rest : rest.slice(0, end);
  if (options.some(isHelp)) return told(HELP[name as CommandName]);
  const unread = name === "usage" || name === "doctor" ? unreadVariables() : [];
  if (unread.length > 0) say(`Not read: ${unread.join(", ")}. The variables are ${VARIABLES.join(", ")}.`);
  return COMMANDS[name as CommandName](rest, signal);
}

/** Also with a value, which it does not take. */
const isHelp = (arg: string): boolean => /^(-h|--help)(=|$)/.test(arg);

async function told(text: string): Promise<number> {
  await print(text);
  return EXIT.fine;
}

const controller = new AbortController();
let outputExit: number = EXIT.fine;
watchOutput((failure) => {
  outputExit = failure.exitCode;
  controller.abort(failure);
});
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The second Ctrl+C exits at once.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Failure(EXIT.interrupted, ""));
  });
}

let exitCode: number;
try {
  exitCode = await main(process.argv.slice(2), controller.signal);
} catch (thrown) {
  exitCode = thrown instanceof Failure ? thrown.exitCode : EXIT.someFailed;
  const message = messageOf(thrown);
  if (message) say(message);
}
// Keep-alive connections would delay the exit.
await print("");
exitCode = Math.max(exitCode, outputExit);
// process.exit waits for a name lookup in progress, which nothing can abort. Dying of the signal does not, and a shell reports that as 130, too.
if (exitCode === EXIT.interrupted && process.platform !== "win32" && process.getActiveResourcesInfo?.().includes("GetAddrInfoReqWrap")) {
  process.removeAllListeners("SIGINT");
  process.kill(process.pid, "SIGINT");
}
process.exit(exitCode);
