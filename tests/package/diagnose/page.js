// What a page does with the parameters behind its #, for the tests.
import { BookMoreClient } from "bookmore-sdk";
import { diagnose } from "bookmore-sdk/diagnose";

const { options, request, adds, mode } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const show = (value) => (document.querySelector("output").textContent = JSON.stringify(value));
if (adds || mode) {
  const { fetch } = globalThis;
  globalThis.fetch = (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...adds }, ...(mode && { mode }) });
}
try {
  const told = [];
  const diagnosis = await diagnose(new BookMoreClient(options), request, { onStep: (step) => told.push(step) });
  show({ ...diagnosis, ok: diagnosis.ok, printed: String(diagnosis), told });
} catch (error) {
  show({ error: String(error) });
}
