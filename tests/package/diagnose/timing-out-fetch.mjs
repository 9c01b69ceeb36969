// Preloaded into the command: fetch gives up connecting, as on a slow way to a name with several addresses.
globalThis.fetch = async () => {
  throw new TypeError("fetch failed", { cause: Object.assign(new Error("timed out"), { code: "ETIMEDOUT" }) });
};
