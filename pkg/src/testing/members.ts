/**
 * Throws for an unknown member, and suggests the nearest known one.
 *
 * @param what The owner of the members, as the subject of the message.
 */
export function checkMembers(given: unknown, known: readonly string[], what: string): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${what} must be an object.`);
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new TypeError(`${what} has no member ${unknown(name, known)}.`);
  }
}

/** The end of a message about an unknown name. */
export function unknown(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `${JSON.stringify(name)}; ${near ? `did you mean "${near}"? Known` : "known"} are ${known.join(", ")}`;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const word = name.toLowerCase();
  const near = known
    .map((other) => ({ other, far: distance(word, other.toLowerCase()) }))
    .filter(({ other, far }) => far <= Math.max(2, other.length / 3))
    .sort((a, b) => a.far - b.far);
  return near[0]?.other;
}

/** The Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
