/** Connect's own transport, with the deadline and the headers that a service would send. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { library, meshHeaders, request, TIMEOUT_MS, typed } from "../get-book.ts";
import { scheme, tlsFiles, usesTls } from "../identities.ts";
import { makeCalls } from "./calls.ts";

const baseUrl = `${scheme}://127.0.0.1:${process.env.BENCH_TARGET}`;
const nodeOptions = usesTls ? tlsFiles("edge") : undefined;
const client = typed(createClient(library, createGrpcTransport({ baseUrl, nodeOptions })));
let headers: Record<string, string> = {};

makeCalls(
  async () => {
    await client.getBook(request, { headers, timeoutMs: TIMEOUT_MS });
  },
  async () => {
    headers = meshHeaders();
  },
);
