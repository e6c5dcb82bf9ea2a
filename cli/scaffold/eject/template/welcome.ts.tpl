import type { Places, ServiceEntry } from "./topology.ts";

/** What the reader sees once everything runs: where it is, and what to try next. */
export function welcome(
  services: readonly ServiceEntry[],
  { url }: Places,
  folders: { inbox: string; logs: string },
): string {
  const edge = url("edge");
  return `
  Edge        ${edge}
  Dashboard   ${url("dashboard")}
${services.length === 0 ? firstService : callsTo(edge)}
  Logs are in ${folders.logs}, mails that services send in ${folders.inbox}.

  Ctrl-C stops everything.
`;
}

const firstService = `
  There is no service yet. The first one, in another terminal, then start again:

    npm run weft -- new service reviews
    npm test -- services/reviews
`;

const callsTo = (edge: string) => `
  What can be called (also at ${edge}/docs), and a user's access token for it (15 minutes, development only):

    curl -s ${edge}/openapi.json
    TOKEN=$(npm run --silent weft -- token ann --role customer)
`;
