/** The module as wasm2js writes it. Gives the exports of a new instance. */
export function instantiate(imports: object): object;
