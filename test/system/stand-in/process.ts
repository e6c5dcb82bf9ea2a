/**
 * Stands in for a service: listens on its port, answers /readyz, ends on SIGTERM.
 * Started with WEFT_ENVIRONMENTS it listens on the ports of all.
 *
 * GET /environment shows what it was started with; GET /crash ends it badly. The
 * service named by STAND_IN_FAULT does not start, the one by STAND_IN_DEAF does not end.
 */
import { createServer } from "node:http";

const environments: Record<string, Record<string, string>> = process.env.WEFT_ENVIRONMENTS
  ? JSON.parse(process.env.WEFT_ENVIRONMENTS)
  : { [process.env.WEFT_SERVICE ?? ""]: process.env };

function isMe(name: string | undefined): boolean {
  return name !== undefined && name === process.env.WEFT_SERVICE;
}

if (isMe(process.env.STAND_IN_FAULT)) {
  console.error("the reason why it does not start");
  process.exit(3);
}
for (const environment of Object.values(environments)) {
  const server = createServer((request, response) => {
    if (request.url === "/crash") process.exit(7);
    response.end(request.url === "/environment" ? JSON.stringify(environment) : "ok");
  });
  server.listen(Number(environment.PORT), "127.0.0.1");
}
console.log(JSON.stringify({ pid: process.pid, msg: "started" }));
process.on("SIGTERM", () => {
  if (!isMe(process.env.STAND_IN_DEAF)) process.exit(0);
});
