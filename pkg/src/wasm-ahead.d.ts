/** The module, as runtimes give it that compile ahead of time. */
declare module "*sdk.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
