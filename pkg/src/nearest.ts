/** The Levenshtein distance of two texts. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The name in `known` that was probably meant, ignoring case: one that contains it or is nearly the same. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase();
  const far = (own: string) => distance(given, own.toLowerCase());
  const isMeant = (own: string) =>
    (given.length > 2 && own.toLowerCase().includes(given)) || far(own) <= Math.max(2, own.length / 3);
  return known.filter(isMeant).sort((a, b) => far(a) - far(b))[0];
}
