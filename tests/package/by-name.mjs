// The module of `wasm-pack build` in the place of the package, for Node and browsers: its errors have names in the place
// of classes, so that `error instanceof sdk.TimeoutError` asks for the name.

export function byName(module) {
  const kind = (fits) => ({ [Symbol.hasInstance]: (value) => module.isBookMoreError(value) && fits(value) });
  const special = { BookMoreError: kind(() => true), ApiError: kind(({ fieldErrors }) => Array.isArray(fieldErrors)) };
  return new Proxy(module, {
    get: (of, name) => of[name] ?? special[name] ?? (/^[A-Z]\w+Error$/.test(name) ? kind((value) => value.name === name) : undefined),
  });
}
