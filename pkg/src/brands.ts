/** Identifies a client, whichever copy of the package made it. */
export const CLIENT_BRAND = /* @__PURE__ */ Symbol.for("bookmore-sdk.client");

/** Identifies an error, likewise. */
export const ERROR_BRAND = /* @__PURE__ */ Symbol.for("bookmore-sdk.error");

export function isBranded(value: unknown, brand: symbol): boolean {
  try {
    return (Object(value) as Record<symbol, unknown>)[brand] === true;
  } catch {
    // A proxy's trap may throw.
    return false;
  }
}

/**
 * Gives a sub-entry access to the internals of a client, whichever copy of the
 * package made it. It is a function, because proxies pass functions through. The
 * number increases when `Calls` changes for sub-entries.
 *
 * @internal
 */
export const CALLS = /* @__PURE__ */ Symbol.for("bookmore-sdk.calls.1");
