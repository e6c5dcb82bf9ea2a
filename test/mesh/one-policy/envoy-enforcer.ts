/** The policy as generated sidecars enforce it: a real Envoy beside each process, mutual TLS between them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { makeAuthority } from "../envoy/certificates.ts";
import { call, startCountingServer } from "../envoy/grpc-peers.ts";
import { type Sidecar, startSidecar } from "../envoy/sidecar.ts";
import type { Enforcer } from "./enforcer.ts";
import { compileLibrary, SERVICE } from "./library.ts";
import { audience, bearer, issuer, serveKeys } from "./tokens.ts";

/** @param envoy path of the binary */
export async function envoyEnforcer(envoy: string): Promise<Enforcer> {
  const folder = mkdtempSync(join(tmpdir(), "weft-envoy-"));
  const make = makeAuthority(folder);
  const tls = new Map<string, string>();
  const tlsOf = (name: string) => tls.get(name) ?? tls.set(name, make(name)).get(name)!;
  const keys = await serveKeys();
  const users = `token_issuer=${issuer},token_audience=${audience},jwks_url=http://keys.test:${keys.port}/jwks`;
  const { file } = generate(compileLibrary(), "library/shelves/", `target=envoy,namespace=books,${users}`);
  const files = new Map(file.map(({ name, content }) => [name, content]));
  const start = (name: string, processPort: number, replicas: number[]) =>
    startSidecar({
      envoy,
      folder,
      files,
      name,
      tls: tlsOf(name),
      processPort,
      replicasOf: (host) => (host === "keys" ? [keys.port] : replicas),
    });

  const servers = [await startCountingServer(), await startCountingServer()];
  const callees = await Promise.all(servers.map(({ port }) => start("shelves", port, [])));
  const doors = callees.map(({ ports }) => ports.get("inbound")!);
  const callers = new Map<string, Sidecar>();
  for (const name of ["edge", "lending"]) callers.set(name, await start(name, 1, doors));

  return {
    call(caller, method, { seconds, token } = {}) {
      const port = callers.get(caller)!.ports.get("to-shelves");
      const shown = { seconds, authorization: bearer(token) };
      return call(`http://127.0.0.1:${port}`, `/${SERVICE}/${method}`, shown);
    },
    knock(as, method, token) {
      const pem = (name: string) => readFileSync(join(tlsOf(as ?? "edge"), name));
      const own = as === undefined ? {} : { cert: pem("tls.crt"), key: pem("tls.key") };
      const url = `https://127.0.0.1:${doors[0]}`;
      const shown = { tls: { ca: pem("ca.crt"), ...own }, authorization: bearer(token) };
      return call(url, `/${SERVICE}/${method}`, shown);
    },
    answer(answer) {
      let call = 0;
      servers.forEach((server, replica) => {
        server.calls.clear();
        server.answer = () => answer(++call, replica);
      });
    },
    heard: (method) => servers.map(({ calls }) => calls.get(`/${SERVICE}/${method}`) ?? 0),
    // Sidecars learn by cluster, and the one method that spoils its cluster has it for itself.
    async renew() {},
    async stop() {
      await Promise.all([...callers.values(), ...callees].map((sidecar) => sidecar.stop()));
      for (const server of servers) server.stop();
      keys.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
