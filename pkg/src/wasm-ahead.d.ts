/** The module, in runtimes that compile it ahead of time. */
declare module "*sdk.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
