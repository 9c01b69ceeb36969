// The module of `wasm-pack build` in place of the package, for Node and browsers. Its errors have names instead of classes,
// so here `error instanceof sdk.TimeoutError` checks the name.

export function byName(module) {
  const kind = (fits) => ({ [Symbol.hasInstance]: (value) => module.isBookMoreError(value) && fits(value) });
  const special = { BookMoreError: kind(() => true), ApiError: kind(({ fieldErrors }) => Array.isArray(fieldErrors)) };
  return new Proxy(module, {
    get: (of, name) => of[name] ?? special[name] ?? (/^[A-Z]\w+Error$/.test(name) ? kind((value) => value.name === name) : undefined),
  });
}
