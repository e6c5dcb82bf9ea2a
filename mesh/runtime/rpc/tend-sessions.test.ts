import http2, { type ClientHttp2Session, type Http2Server, type ServerHttp2Stream } from "node:http2";
import net, { type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type SessionCare, tendSessions } from "./tend-sessions.ts";

async function serve(care: SessionCare, onStream: (stream: ServerHttp2Stream) => void = () => {}) {
  const server: Http2Server = http2.createServer();
  tendSessions(server, care);
  server.on("stream", onStream);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

test("an old connection takes no new calls, and those it has finish", async () => {
  const held = Promise.withResolvers<ServerHttp2Stream>();
  const { port } = await serve({ maxAgeMs: 50 }, (stream) => held.resolve(stream));
  const session: ClientHttp2Session = http2.connect(`http://127.0.0.1:${port}`);
  const call = session.request({ ":path": "/" });
  const stream = await held.promise;
  const [code] = await new Promise<[number]>((resolve) =>
    session.once("goaway", (...goaway) => resolve([goaway[0]])),
  );
  expect(code).toBe(http2.constants.NGHTTP2_NO_ERROR);
  stream.respond({ ":status": 200 });
  stream.end("book");
  let body = "";
  for await (const chunk of call.setEncoding("utf8")) body += chunk;
  expect(body).toBe("book");
});

test("a peer that does not answer pings loses its connection", async () => {
  const { server, port } = await serve({ pingIntervalMs: 50 });
  const ended = new Promise<void>((resolve) =>
    server.once("session", (session) => {
      session.on("error", () => {});
      session.once("close", resolve);
    }),
  );
  // It greets, and is silent from then on.
  const silent = net.connect(port, "127.0.0.1");
  onTestFinished(() => void silent.destroy());
  silent.on("error", () => {});
  silent.write(
    Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    ]),
  );
  await ended;
});
