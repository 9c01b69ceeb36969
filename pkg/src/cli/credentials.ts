import { spawn } from "node:child_process";
import { addAbortSignal } from "node:stream";
import { BookMoreClient, type ClientOptions, type TokenProvider } from "bookmore-sdk";
import { isUnreplaced } from "../diagnose/network.js";
import { isSecret, SECRET } from "../secret.js";
import { badArguments, EXIT, Failure, messageOf } from "./exit.js";
import { gathered, opened } from "./file.js";

const { env } = process;
/** How long the command, or a named pipe, may take. */
const LONGEST_MS = 30_000;
const MOST_BYTES = 65_536;
const FAILURE_COUNTS_MS = 30_000;

/** The variables with the credentials and the base URL. */
export const VARIABLES = ["BOOKMORE_TOKEN", "BOOKMORE_TOKEN_COMMAND", "BOOKMORE_API_KEY", "BOOKMORE_URL"];

/** Variables that look as if they were meant for the commands, and that none reads. On Windows, names have any case. */
export const unreadVariables = (): string[] => Object.keys(env).filter((name) => /^BOOKMORE_((API|BASE|SERVER|BEARER|ACCESS|AUTH)_?)*(URL|HOST|TOKEN|KEY|JWT)$/i.test(name) && !VARIABLES.includes(process.platform === "win32" ? name.toUpperCase() : name));

/** What a command's options say of server and credentials. */
export interface Given {
  url?: string | undefined;
  "token-file"?: string | undefined;
}

/** The options of the commands that make calls. */
export const CALL_OPTIONS = { url: { type: "string" }, "token-file": { type: "string" } } as const;

/** The base URL; undefined for the client's own. */
export const baseUrlOf = ({ url }: Given): string | undefined => url ?? (env["BOOKMORE_URL"] || undefined);

/** A client with the credentials from the environment or a file. `isRenewed`: whether a refused token is replaced by reading the source again. */
export async function clientOf(given: Given, options: ClientOptions, isRenewed = true): Promise<BookMoreClient> {
  const apiKey = env["BOOKMORE_API_KEY"] || undefined;
  const source = sourceOf(given);
  if (!source && apiKey === undefined) {
    throw refused(`There are no credentials: set ${WAYS}`);
  }
  let bearerToken: TokenProvider | string | undefined;
  if (source) {
    // Asked once before the first call, so that a failure is reported once and not for each company.
    let token = await tokenOf(source).catch((error: unknown) => {
      throw refused(messageOf(error));
    });
    // A later failure is remembered for a while only, because --watch goes on.
    let failure: { error: unknown; until: number } | undefined;
    const renewed: TokenProvider = async ({ forceRefresh }) => {
      if (failure && performance.now() < failure.until) throw failure.error;
      if (!forceRefresh) return token;
      try {
        return (token = await tokenOf(source));
      } catch (error) {
        failure = { error, until: performance.now() + FAILURE_COUNTS_MS };
        throw error;
      }
    };
    bearerToken = isRenewed ? renewed : token;
  }
  if (apiKey !== undefined && !isSecret(apiKey)) throw refused(`BOOKMORE_API_KEY must be ${SECRET}.`);
  return constructed(given, { ...options, apiKey, bearerToken });
}

/** A client of that server. Rewords the client's errors with the names of the command line. */
export function constructed(given: Given, options: ClientOptions): BookMoreClient {
  const baseUrl = baseUrlOf(given);
  try {
    return new BookMoreClient({ ...options, baseUrl });
  } catch (error) {
    const message = messageOf(error).replace("an https baseUrl, or allowInsecureHttp", "https");
    throw badArguments(baseUrl === undefined ? message : `${given.url === undefined ? "BOOKMORE_URL" : "--url"}: ${message}${mistakeIn(baseUrl)}`);
  }
}

/** What is wrong with a base URL that is none, where that shows. Nothing of it is quoted: it may be a token, or have a password. */
function mistakeIn(baseUrl: string): string {
  const given = baseUrl.trim();
  if (/^["'`]|["'`]$/.test(given)) return " It has quotation marks around it.";
  const [host = ""] = given.replace(/^[a-z]+:?\/\//i, "").split(/[/?#]/);
  if (!host.includes("@") && isUnreplaced(host)) return " It reads like a variable that was not replaced.";
  return /^https?:\/\//i.test(given) ? "" : " It has to begin with https://, or for a server of this machine with http://.";
}

/** How credentials are given: the end of a sentence that begins with "Set". */
export const WAYS = "BOOKMORE_TOKEN, BOOKMORE_TOKEN_COMMAND or BOOKMORE_API_KEY, or use --token-file.";

interface TokenSource {
  name: string;
  read(): Promise<string>;
}

async function tokenOf({ name, read }: TokenSource): Promise<string> {
  const token = await read();
  if (!isSecret(token)) throw new Error(`${name}: the token must be ${SECRET}; give it alone, without the word Bearer or anything else.`);
  return token;
}

/** Where the token is from: the first source that is given. */
function sourceOf({ "token-file": tokenFile }: Given): TokenSource | undefined {
  if (tokenFile !== undefined) return { name: "--token-file", read: () => ofFile(tokenFile) };
  const token = env["BOOKMORE_TOKEN"];
  if (token) return { name: "BOOKMORE_TOKEN", read: async () => token.trim() };
  const command = env["BOOKMORE_TOKEN_COMMAND"];
  return command ? { name: "BOOKMORE_TOKEN_COMMAND", read: () => ofCommand(command) } : undefined;
}

/** The name of the source of the token, or else of the key. */
export function sourceName(given: Given): string | undefined {
  return sourceOf(given)?.name ?? (env["BOOKMORE_API_KEY"] ? "BOOKMORE_API_KEY" : undefined);
}

async function ofFile(file: string): Promise<string> {
  const failure = (how: string) => new Error(`The token file ${file} ${how}.`);
  let token: string;
  try {
    const bytes = await gathered(addAbortSignal(AbortSignal.timeout(LONGEST_MS), opened(file)), MOST_BYTES);
    token = bytes.toString().trim();
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    throw failure(name === "AbortError" ? `had not ended within ${LONGEST_MS / 1000} s` : `cannot be read (${code})`);
  }
  if (token === "") throw failure("is empty");
  return token;
}

/** Runs the command. No error shows what it printed. */
function ofCommand(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (how: string) => reject(new Error(`BOOKMORE_TOKEN_COMMAND ${how}; run it by hand to see why.`));
    // Its own process group, so that its children are killed with it.
    const isGroup = process.platform !== "win32";
    const child = spawn(command, { shell: true, detached: isGroup, stdio: ["ignore", "pipe", "ignore"] });
    const kill = () => {
      try {
        if (isGroup) process.kill(-child.pid!, "SIGKILL");
        else child.kill("SIGKILL");
      } catch {
        // It has already exited.
      }
    };
    process.once("exit", kill);
    const timer = setTimeout(() => {
      kill();
      failed(`took longer than ${LONGEST_MS / 1000} s`);
    }, LONGEST_MS);
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length <= MOST_BYTES) return;
      kill();
      failed("printed more than a token");
    });
    child.on("error", (error: NodeJS.ErrnoException) => failed(`could not be run (${error.code})`));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      process.off("exit", kill);
      const token = text.trim();
      if (code !== 0) failed(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`);
      else if (token === "") failed("printed nothing");
      else resolve(token);
    });
  });
}

function refused(message: string): Failure {
  return new Failure(EXIT.badCredentials, message);
}
