import type { Implementations } from "./implementations/implementation.ts";

/** The shape of deploy/local/system.ts: what runs, and where. Ports are those without an offset. */
export type System = {
  services: ServiceEntry[];
  /** The way in from outside. It has no database and is started like a service. */
  edge: ServiceEntry & { entry: string };
  /** Program that runs everything in one process, for --single; from the root of the repository. */
  singleEntry: string;
  /** Shows all this to whoever runs it; left out: nothing does. */
  dashboard?: DashboardEntry;
  /** Ports of what the runner starts itself. */
  servers: { postgres: number; nats: number; inbox: number };
  trustDomain: string;
  tokens: Tokens;
  /** Descriptor set of the contract, from the root of the repository. */
  descriptors: string;
  /**
   * Port at which one process reaches another process or server: for tests that stand in between. Its own port
   * when left out.
   */
  link?: (link: { from: string; to: string; port: number }) => number;
  /** Milliseconds before a process that ended is started again: the first time, and at most. */
  restarts?: { firstDelay: number; maxDelay: number };
  /** What the reader sees once everything runs. */
  welcome: (places: Places, folders: { inbox: string; logs: string }) => string;
};

/** Users' access tokens: who issues them, and for whom. */
export type Tokens = {
  issuer: string;
  audience: string;
  /** The service that has the keys to check them, and where. Left out: the runner issues them (`weft token`). */
  keys?: { service: string; url: (places: Places) => string };
};

export type ServiceEntry = {
  /** Name in the contract, in the mesh, of the database and of the log file. */
  name: string;
  port: number;
  /**
   * Process entry in TypeScript, from the root of the repository. Left out: the service is there in another language
   * only, the first of its `implementations`.
   */
  entry?: string;
  /** Whether it gets a database of its own. */
  database: boolean;
  /**
   * Port for its health, figures and state, for one whose `port` is open to the outside: then replicas share `port`,
   * and each has an admin port of its own.
   */
  adminPort?: number;
  /** Settings only it needs. */
  environment?: (places: Places) => Record<string, string>;
  /** The service in other languages; `--impl` runs one of them in place of `entry`. */
  implementations?: Implementations;
};

/** A process beside the system: nothing needs it, and it is started last. */
export type DashboardEntry = {
  port: number;
  /** Process entry, from the root of the repository. */
  entry: string;
  /** What it cannot read from the contract; dashboard/config.ts has the shape. */
  settings: Record<string, unknown>;
};

/** Ports with the offset added. */
export type Places = {
  all: { name: string; port: number }[];
  /** Port of a service or server. */
  port(name: string): number;
  /** http://127.0.0.1 with the port of a service. */
  url(name: string): string;
};

/** Names of everything that is started as a process of its own, the edge last. */
export function processNames({ services, edge }: System): string[] {
  return [...services, edge].map(({ name }) => name);
}

/** Most replicas of a service on this machine. */
export const mostReplicas = 10;

/** Replicas of the edge share its port, which Linux does as we need it (SO_REUSEPORT). */
export function canHaveReplicas({ services, edge }: System, name: string): boolean {
  if (name === edge.name) return edge.adminPort !== undefined && process.platform === "linux";
  return services.some((service) => service.name === name);
}

/** How a replica is called: the service's own name for the first, NAME-2 and so on for others. */
export function replicaName(service: string, replica: number): string {
  return replica === 1 ? service : `${service}-${replica}`;
}

/**
 * Where a replica listens: 100 above the one before it. Ports of services lie less than 100 apart and below
 * 9100, so replicas stay below 10,000, and clear of a second system with an offset of thousands.
 */
export function replicaPort(port: number, replica: number): number {
  return port + 100 * (replica - 1);
}

/** How the admin port of a process is called. */
export function adminName(process: string): string {
  return `${process}-admin`;
}

/**
 * Where everything is, given an offset.
 *
 * @param replicas how many there are of a service; one where it is not listed
 */
export function placesFor(
  { services, edge, dashboard, servers }: System,
  offset: number,
  replicas: ReadonlyMap<string, number> = new Map(),
): Places {
  const processes = [...services, edge].flatMap(({ name, port, adminPort }) =>
    Array.from({ length: replicas.get(name) ?? 1 }, (_, index) => index + 1).flatMap((replica) => {
      const called = replicaName(name, replica);
      if (adminPort === undefined) return [{ name: called, port: replicaPort(port, replica) }];
      const admin = { name: adminName(called), port: replicaPort(adminPort, replica) };
      return replica === 1 ? [{ name, port }, admin] : [admin];
    }),
  );
  const listed = [
    ...processes,
    ...(dashboard ? [{ name: "dashboard", port: dashboard.port }] : []),
    ...Object.entries(servers).map(([name, port]) => ({ name, port })),
  ];
  const all = listed.map(({ name, port }) => ({ name, port: port + offset }));
  const ports = new Map(all.map(({ name, port }) => [name, port]));
  const port = (name: string) => {
    const found = ports.get(name);
    if (found === undefined) throw new Error(`nothing called "${name}" is in the system`);
    return found;
  };
  return { all, port, url: (name) => `http://127.0.0.1:${port(name)}` };
}

/** Where everything is for one of the processes. */
export function placesSeenFrom({ link }: System, from: string, places: Places): Places {
  if (!link) return places;
  const port = (to: string) => link({ from, to, port: places.port(to) });
  return { ...places, port, url: (name) => `http://127.0.0.1:${port(name)}` };
}
