// The snippets of the README, for the tests that run them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
export const SNIPPETS = [...README.matchAll(/^```(js|jsx|html|rust)\n([^]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));

/** The one snippet of a language that has `words` in it. */
export function snippet(language, words) {
  const found = SNIPPETS.filter((snippet) => snippet.language === language && snippet.text.includes(words));
  assert.equal(found.length, 1, `snippets with ${words}`);
  return found[0].text;
}
