// Preloaded with UV_THREADPOOL_SIZE=1: a name lookup never ends, because the only thread waits for a writer of the pipe PIPE.
import dns from "node:dns/promises";
import { open } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { lookup } = dns;
dns.lookup = (...given) => {
  open(process.env.PIPE, () => {});
  process.stderr.write("looks up\n");
  return lookup(...given);
};
syncBuiltinESMExports();
