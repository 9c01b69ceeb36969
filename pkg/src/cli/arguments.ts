import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearest } from "../nearest.js";
import { badArguments } from "./exit.js";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Value<O> = O extends { type: "boolean" } ? boolean : string;
type Values<T extends Options> = { [Name in keyof T]?: Value<T[Name]> };

/** Options that are refused: their values would be visible in the process list. */
const SECRETS = ["token", "bearer-token", "access-token", "api-key", "x-api-key"];

/** Parses the options and arguments of a command. An unknown option is refused, with the nearest known one. */
export function parsed<T extends Options>(args: string[], options: T): { values: Values<T>; positionals: string[] } {
  const { tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true });
  const values: Record<string, string | boolean> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const known = options[name];
    if (!known || !Object.hasOwn(options, name)) throw unknownOption(name, rawName, Object.keys(options));
    // `--file --json` lacks a value, and "" comes from an empty variable; a lone "-" is a value.
    const isMissing = !value || (!inlineValue && /^-./.test(value));
    if (known.type === "string" && isMissing) throw badArguments(`${rawName} needs a value; see --help.`);
    if (known.type === "boolean" && value !== undefined) throw badArguments(`${rawName} takes no value; see --help.`);
    // parseArgs keeps only the last one, so the ids of the first file would be lost.
    if (known.type === "string" && Object.hasOwn(values, name)) throw badArguments(`${rawName} is given more than once.`);
    values[name] = value ?? true;
  }
  return { values: values as Values<T>, positionals };
}

function unknownOption(name: string, rawName: string, known: string[]): Error {
  const meant = nearest(name, [...known, "help", ...SECRETS]);
  if (meant && SECRETS.includes(meant)) {
    return badArguments(
      "Tokens and keys are not accepted as arguments, where others could see them; set BOOKMORE_TOKEN or BOOKMORE_API_KEY, or use --token-file.",
    );
  }
  return badArguments(`There is no option ${rawName}${meant ? `; did you mean --${meant}?` : "; see --help."}`);
}

/** Parses an option that is a number within bounds. */
export function numberOf(name: string, value: string | undefined, least: number, most: number, isWhole = true): number | undefined {
  if (value === undefined) return undefined;
  const number = value.trim() === "" ? NaN : Number(value);
  if (number >= least && number <= most && (!isWhole || Number.isInteger(number))) return number;
  throw badArguments(`--${name} must be ${isWhole ? "a whole" : "a"} number from ${least} to ${most}, not "${value}".`);
}

/** Parses an option that is one of several words. */
export function oneOf<T extends string>(name: string, value: string | undefined, known: readonly T[]): T | undefined {
  if (value === undefined || (known as readonly string[]).includes(value)) return value as T | undefined;
  const meant = nearest(value, known);
  throw badArguments(`--${name} must be ${known.slice(0, -1).join(", ")} or ${known.at(-1)}, not "${value}"${meant ? `; did you mean ${meant}?` : "."}`);
}
