/**
 * `thrown`; where it quotes a secret anywhere, an Error instead that says the
 * same without it.
 */
export function safeCause(thrown: unknown, secrets: Iterable<string>): unknown {
  const words = [...secrets];
  if (!quotes(thrown, words, new Set())) return thrown;
  const { name = "Error", message = String(thrown) } = thrown as Error;
  const clean = (text: unknown) =>
    words.reduce((text, secret) => text.replaceAll(secret, "[secret]"), String(text));
  const copy = new Error(clean(message));
  copy.name = clean(name);
  return copy;
}

function quotes(value: unknown, secrets: string[], seen: Set<unknown>): boolean {
  if (typeof value === "string") return secrets.some((secret) => value.includes(secret));
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  seen.add(value);
  try {
    const { headers, entries } = value as { headers?: unknown; entries?: () => Iterable<unknown> };
    return (
      // What a Request, a Headers or a Map hold is no property of theirs.
      [headers, ...(typeof entries === "function" ? entries.call(value) : [])].some((inner) => quotes(inner, secrets, seen)) ||
      Reflect.ownKeys(value).some((key) => quotes((value as never)[key], secrets, seen))
    );
  } catch {
    // What cannot be looked into is not shown either.
    return true;
  }
}
