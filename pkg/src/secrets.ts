/** `details`, but what others said without the secrets that they quote. */
export function hidden<T extends object>(details: T, secrets: Iterable<string>): T {
  const clean = cleaner(secrets);
  // Nobody else chooses the code, whose words may be a secret's.
  return JSON.parse(JSON.stringify(details), (name, value) =>
    typeof value === "string" && name !== "code" ? clean(value) : value,
  );
}

/**
 * `thrown`; where it quotes a secret anywhere, an Error instead that says the
 * same without it.
 */
export function safeCause(thrown: unknown, secrets: Set<string>): unknown {
  if (!quotes(thrown, [...secrets], new Set())) return thrown;
  const clean = cleaner(secrets);
  const { name = "Error", message = String(thrown) } = thrown as Error;
  return Object.assign(new Error(clean(String(message))), { name: clean(String(name)) });
}

const cleaner = (secrets: Iterable<string>) => (text: string) =>
  [...secrets].reduce((text, secret) => text.replaceAll(secret, "[secret]"), text);

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
