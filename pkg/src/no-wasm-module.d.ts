/** The module as wasm2js writes it. Returns the exports of a new instance. */
export function instantiate(imports: object): object;
