// The snippets of the READMEs and of the package's docs, for the tests that run them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The snippets in one of the languages; output has none. */
export function snippetsOf(pages, languages) {
  return pages.flatMap((page) => {
    const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
    const found = [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
    return found.filter(({ language }) => languages.includes(language));
  });
}

export const SNIPPETS = snippetsOf(["README.md", "pkg/README.md", "pkg/docs/testing.md"], ["js", "jsx", "html", "rust"]);

/** The only snippet of a language that contains `words`. */
export function snippet(language, words) {
  const found = SNIPPETS.filter((snippet) => snippet.language === language && snippet.text.includes(words));
  assert.equal(found.length, 1, `snippets with ${words}`);
  return found[0].text;
}

/**
 * Fails if `output` is not what a page of the docs shows, in its only block of output that contains `words`. Lines may break
 * elsewhere, times differ, and … stands for what is left out.
 */
export function matchesSample(page, words, output) {
  const found = snippetsOf([page], [""]).filter(({ text }) => text.includes(words));
  assert.equal(found.length, 1, `blocks with ${words}`);
  const inOneLine = (lines) => lines.replaceAll(/\s+/g, " ").trim();
  const shown = inOneLine(found[0].text.replace(/^\$ .*\n/, "")).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  assert.match(inOneLine(output), new RegExp(`^${shown.replaceAll(/\d+ ms/g, "\\d+ ms").replaceAll("…", ".+")}$`));
}
