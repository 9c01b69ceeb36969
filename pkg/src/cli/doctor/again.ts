import { doctorOf, shellWord } from "../../diagnose/shell.js";

const { argv, env } = process;
/** What NODE_OPTIONS has to load scripts. */
const SCRIPTS = /(?<=^|\s)(--import|--require|-r|--loader|--experimental-loader)(=|\s+)\S+\s*/g;

/** Whether NODE_OPTIONS loads scripts into this process. */
export const loadsScripts = (): boolean => (env["NODE_OPTIONS"] ?? "").search(SCRIPTS) >= 0;

/** The command that runs now, with its options, for that base URL. */
export function again(baseUrl: string): string {
  const args = argv.slice(3);
  const others = args.filter((arg, at) => !/^--url(=|$)/.test(arg) && args[at - 1] !== "--url");
  return [doctorOf(baseUrl), ...others.map(shellWord)].join(" ");
}

/** The same without the scripts that NODE_OPTIONS loads. */
export function againWithoutScripts(baseUrl: string): string {
  const others = (env["NODE_OPTIONS"] ?? "").replace(SCRIPTS, "").trim();
  return `NODE_OPTIONS=${others && shellWord(others)} ${again(baseUrl)}`;
}
