// Preloaded into the command: fetch connects to a port where nothing listens, and which fetch does not block.
const own = globalThis.fetch;
globalThis.fetch = (url, init) => own(String(url).replace(/:\d+/, ":4"), init);
