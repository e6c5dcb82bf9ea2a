/** An authority for one test and certificates with SPIFFE ids, made by the openssl of the system. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @param namespace of the workloads
 * @returns the folder of a workload's tls.crt, tls.key and ca.crt
 */
export function makeAuthority(folder: string, namespace = "books"): (name: string) => string {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "1",
    "-subj",
    "/CN=test",
  );
  return (name) => {
    const own = join(folder, name);
    mkdirSync(own);
    writeFileSync(
      join(own, "san"),
      `subjectAltName=critical,URI:spiffe://cluster.local/ns/${namespace}/sa/${name}\n`,
    );
    openssl("req", ...newKey, "-keyout", `${name}/tls.key`, "-out", `${name}/csr`, "-subj", "/");
    const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}/csr`,
      ...signed,
      "-extfile",
      `${name}/san`,
      "-out",
      `${name}/tls.crt`,
    );
    openssl("x509", "-in", "ca.crt", "-out", `${name}/ca.crt`);
    return own;
  };
}
