/** Whether every page may send a header of this name, in lower case, without asking first (the Fetch standard's CORS-safelisted request-headers). */
export const isSafelisted = (name: string): boolean => /^(accept|(accept|content)-language)$/.test(name);

/** Whether a page may read a reply with these headers (the Fetch standard's CORS check). */
export function passesCorsCheck(headers: Headers, page: string, includesCookies: boolean): boolean {
  const origin = headers.get("access-control-allow-origin");
  if (!includesCookies) return origin === "*" || origin === page;
  return origin === page && headers.get("access-control-allow-credentials") === "true";
}

export function isSameOrigin(url: string, page: string): boolean {
  return new URL(url).origin === page;
}
