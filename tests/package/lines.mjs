import { readFileSync } from "node:fs";
import ts from "typescript-6.0";

/**
 * How many lines of a TypeScript file have code on them. Blank lines, comments and pure markup do not count: tags,
 * attributes in quotes, and text. Braces inside the markup contain code.
 */
export function linesOfCode(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const lines = new Set();
  const isMarkup = (node) =>
    ts.isJsxElement(node) || ts.isJsxFragment(node) || ts.isJsxText(node) || ts.isJsxAttribute(node) || ts.isJsxAttributes(node) ||
    ts.isJsxOpeningLikeElement(node) || ts.isJsxClosingElement(node) || ts.isJsxOpeningFragment(node) || ts.isJsxClosingFragment(node);
  const mark = (node, inMarkup) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    const own = isMarkup(node) || (inMarkup && node.kind === ts.SyntaxKind.SyntaxList);
    if (children.length > 0) return void children.forEach((child) => mark(child, own));
    if (inMarkup || node.getWidth(source) === 0) return;
    const line = (at) => source.getLineAndCharacterOfPosition(at).line;
    for (let at = line(node.getStart(source)); at <= line(node.end); at++) lines.add(at);
  };
  mark(source, false);
  return lines.size;
}
