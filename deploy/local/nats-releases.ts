/**
 * The nats-server that is fetched when the machine has none. One version for
 * every way of getting it, so that two machines run the same thing.
 */
export const natsServerVersion = "2.14.5";

/** Oldest server this system is tested with: Debian 12's. */
export const oldestNatsServer = "2.9.10";

/**
 * SHA-256 of the official archives by `${process.platform}-${process.arch}`, as the
 * project's container images pin them (github.com/nats-io/nats-docker). A platform
 * that is not listed skips this way of getting the server.
 */
export const natsServerArchives: Record<string, { name: string; sha256: string }> = {
  "linux-x64": {
    name: `nats-server-v${natsServerVersion}-linux-amd64`,
    sha256: "5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355",
  },
  "linux-arm64": {
    name: `nats-server-v${natsServerVersion}-linux-arm64`,
    sha256: "673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c",
  },
  "darwin-arm64": {
    name: `nats-server-v${natsServerVersion}-darwin-arm64`,
    sha256: "ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50",
  },
};

export function natsServerArchiveUrl(name: string): string {
  return `https://github.com/nats-io/nats-server/releases/download/v${natsServerVersion}/${name}.tar.gz`;
}
