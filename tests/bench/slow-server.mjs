// Answers each request with the usage of the requested company after a delay: node slow-server.mjs MILLISECONDS. Prints
// its port.
import { createServer } from "node:http";

const ms = Number(process.argv[2]);
const server = createServer((req, res) => {
  const company = /CompanyId=([\w-]+)/.exec(req.url)[1].replaceAll("-", "");
  const body = `{"CompanyId":"${company}","TokensUsed":1234,"TokenLimit":100000,"TokensRemaining":98766,"IsWithinBudget":true,"WindowDays":30}`;
  const answer = () => res.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length }).end(body);
  if (ms > 0) setTimeout(answer, ms);
  else answer();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
