/** What the dashboard cannot read from the contract; dashboard/config.ts has the shape and says what else there is. */
import type { SystemInput } from "../../dashboard/config.ts";

type Settings = Pick<SystemInput, "title" | "describedContract" | "coverage" | "signIn" | "timelines">;

export const dashboardSettings: Settings = {
  title: "Weft",
  describedContract: "gen/descriptors-with-comments.binpb",
  coverage: "gen/mesh/coverage.md",
};
