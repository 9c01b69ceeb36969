/** By which a client is known whatever copy of the package made it. */
export const CLIENT_BRAND = /* @__PURE__ */ Symbol.for("bookmore-sdk.client");

/** The same for an error. */
export const ERROR_BRAND = /* @__PURE__ */ Symbol.for("bookmore-sdk.error");

/**
 * By which a sub-entry reaches what is behind a client, whatever copy of the
 * package made it: a function, because a proxy hands those on as they are. The
 * number rises when `Calls` changes for those who reach it.
 *
 * @internal
 */
export const CALLS = /* @__PURE__ */ Symbol.for("bookmore-sdk.calls.1");
