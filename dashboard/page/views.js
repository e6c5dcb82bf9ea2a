/** The views by their names in addresses, in the order of the navigation. */
import { openContracts } from "./views/contracts.js";
import { openEvents } from "./views/events.js";
import { openExplorer } from "./views/explorer.js";
import { openFaults } from "./views/faults.js";
import { openInbox } from "./views/inbox.js";
import { openLogs } from "./views/logs.js";
import { openOverview } from "./views/overview.js";
import { openServices } from "./views/services.js";
import { openTimelines } from "./views/timelines.js";
import { openTopology } from "./views/topology.js";
import { openTraces } from "./views/traces.js";

/**
 * `open` gives a view: its title; `draw` gives its tree; `tick` hears of each tick, `place` of another filter in the
 * address, `system` of the system's description; `close` ends what it began.
 */
export const views = {
  overview: { label: "Overview", open: openOverview },
  topology: { label: "Topology", open: openTopology },
  services: { label: "Services", open: openServices },
  traces: { label: "Traces", open: openTraces },
  logs: { label: "Logs", open: openLogs },
  events: { label: "Events", open: openEvents },
  timelines: { label: "Timelines", open: openTimelines },
  explorer: { label: "Explorer", open: openExplorer },
  inbox: { label: "Inbox", open: openInbox },
  contracts: { label: "Contracts", open: openContracts },
  faults: { label: "Faults", open: openFaults },
};
