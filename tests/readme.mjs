// The snippets of the READMEs and of the pages beside that of the package, for the tests that run them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const PAGES = ["README.md", "pkg/README.md", "pkg/docs/testing.md"];
export const SNIPPETS = PAGES.flatMap((page) => {
  const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```(js|jsx|html|rust)\n([^]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
});

/** The one snippet of a language that has `words` in it. */
export function snippet(language, words) {
  const found = SNIPPETS.filter((snippet) => snippet.language === language && snippet.text.includes(words));
  assert.equal(found.length, 1, `snippets with ${words}`);
  return found[0].text;
}
