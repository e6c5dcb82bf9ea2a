import { z } from "zod";

/** Mesh names of services, and names of their instances: parts of a NATS subject. */
const subjectPart = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/);

const schema = z.object({
  service: subjectPart,
  instance: subjectPart,
  version: z.string().max(100),
  address: z.url({ protocol: /^https?$/ }).max(200),
  spiffeId: z.string().max(300),
  state: z.enum(["ready", "draining"]),
  startedAt: z.iso.datetime(),
});

/** One process of a service, as it stands in the registry. */
export type Instance = Readonly<z.output<typeof schema>>;
// service     name in the mesh
// instance    unique among the service's processes; the same after a restart
// address     base URL, where its calls go
// state       "draining": it finishes what it has and wants nothing new
// startedAt   RFC 3339; another one means another process

/** Reads an entry; undefined for what is none: others may not break their readers. */
export function parseInstance(text: string): Instance | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
