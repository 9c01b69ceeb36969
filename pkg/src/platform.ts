/** Whether this is Node.js: Deno and Bun have a version of it, too. */
export function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: Record<string, string> } };
  const { node, deno, bun } = process?.versions ?? {};
  return node !== undefined && (deno ?? bun) === undefined;
}

/** Without WebAssembly, Node.js exits when its fetch is called or its Request is read. */
export function isFetchBroken(): boolean {
  return !(globalThis as { WebAssembly?: object }).WebAssembly && isNode();
}

/** Why a step was skipped there. */
export const FETCH_BROKEN = "the fetch of Node.js needs WebAssembly";
