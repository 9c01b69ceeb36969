// A real trap in an export of the module.
import assert from "node:assert/strict";

// (module (func (export "trap") unreachable))
const CODE = Buffer.from("0061736d010000000104016000000302010007080104747261700000" + "0a05010300000b", "hex");

/** Makes the export `name` of modules instantiated from now on trap if `shouldTrap()`. Returns a function that ends this. */
export function trapping(name, shouldTrap) {
  const { exports: { trap } } = new WebAssembly.Instance(new WebAssembly.Module(CODE));
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const { exports } = await instantiate.apply(WebAssembly, given);
    assert.ok(name in exports, Object.keys(exports).join());
    const stub = { ...exports, [name]: (...values) => (shouldTrap() ? trap() : exports[name](...values)) };
    return Object.create(WebAssembly.Instance.prototype, { exports: { value: stub } });
  };
  return () => (WebAssembly.instantiate = instantiate);
}
