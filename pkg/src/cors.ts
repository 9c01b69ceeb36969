/** Whether every page may send a header of this name, in lower case, without asking first (the Fetch standard's CORS-safelisted request-headers). */
export const isSafelisted = (name: string): boolean => /^(accept|(accept|content)-language)$/.test(name);

export function isSameOrigin(url: string, page: string): boolean {
  return new URL(url).origin === page;
}
