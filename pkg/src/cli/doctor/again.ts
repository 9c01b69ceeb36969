import { DOCTOR, shellWord, urlOption } from "../../diagnose/shell.js";

const { argv, env } = process;
/** The options in NODE_OPTIONS that load scripts, with their values, which may be in quotes. */
const SCRIPTS = /(?<=^|\s)(--import|--require|-r|--loader|--experimental-loader)(=|\s+)("(\\.|[^"\\])*"|\S)+\s*/g;

/** Whether NODE_OPTIONS loads scripts into this process. */
export const loadsScripts = (): boolean => (env["NODE_OPTIONS"] ?? "").search(SCRIPTS) >= 0;

/** This command with the same options for another base URL. That is named even if it is the default, because BOOKMORE_URL may be set. */
export function again(baseUrl: string): string {
  const args = argv.slice(3);
  const others = args.filter((arg, at) => !/^--url(=|$)/.test(arg) && args[at - 1] !== "--url");
  return [DOCTOR, urlOption(baseUrl), ...others.map(shellWord)].join(" ");
}

/** The same command without the scripts that NODE_OPTIONS loads. */
export function againWithoutScripts(baseUrl: string): string {
  const others = (env["NODE_OPTIONS"] ?? "").replace(SCRIPTS, "").trim();
  return `NODE_OPTIONS=${others && shellWord(others)} ${again(baseUrl)}`;
}
