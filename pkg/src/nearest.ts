/** How many characters have to be inserted, left out or replaced to make one text of the other. */
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

/** The one of `known` that was probably meant, whatever its case. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const far = (own: string) => distance(name.toLowerCase(), own.toLowerCase());
  const [first] = [...known].sort((a, b) => far(a) - far(b));
  return first !== undefined && far(first) <= Math.max(2, first.length / 3) ? first : undefined;
}
