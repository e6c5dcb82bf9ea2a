/**
 * The floor: what any gateway in this runtime pays, whatever it does. HTTP/1.1 in, HTTP/2 out, the bytes of
 * the reply back in one write; no routing, no checks, no conversion, no deadline, no log.
 */
import http from "node:http";
import http2 from "node:http2";

const session = http2.connect(process.env.UPSTREAM!);
const server = http.createServer((request, response) => {
  const hasBody = request.method !== "GET";
  const stream = session.request(
    { ":method": request.method, ":path": request.url, "content-type": "application/grpc", te: "trailers" },
    { endStream: !hasBody },
  );
  if (hasBody) {
    request.on("data", (chunk) => stream.write(chunk));
    request.on("end", () => stream.end());
  }
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  stream.on("error", () => response.destroy());
});
server.listen(Number(process.env.PORT), "127.0.0.1");
