/** Connect's own adapter on node:http2, no interceptors. */
import http2 from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { library, reply } from "../get-book.ts";
import { tlsFiles, usesTls } from "../identities.ts";

const handler = connectNodeAdapter({
  routes: (router) => router.service(library, { getBook: () => reply } as object),
});
const server = usesTls
  ? http2.createSecureServer({ ...tlsFiles("library"), requestCert: true, minVersion: "TLSv1.3" }, handler)
  : http2.createServer(handler);
server.listen(Number(process.env.PORT), "127.0.0.1");
