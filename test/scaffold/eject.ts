/**
 * `npm run scaffold:eject [-- --all --keep]`: ejects the shop in a copy of this repository. What is left is checked,
 * tested (--all: all of it), started (its one journey), and then the tutorial is followed in it. Part of CI.
 */
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { copyRepository } from "./copy.ts";

const copy = copyRepository();
const weft = (...args: string[]) => copy.run("npm", "run", "--silent", "weft", "--", ...args);
const check = () => {
  copy.run("npm", "run", "--silent", "lint");
  copy.run("npm", "run", "--silent", "typecheck");
};
const commit = () => {
  copy.run("git", "add", "-A");
  copy.run("git", "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "step");
};

/** The command ends with this reason, and every file is as it was. */
const refused = (reason: RegExp, ...args: string[]) => {
  const before = copy.changed();
  let said = "";
  try {
    weft(...args);
  } catch (error) {
    said = (error as Error).message;
  }
  if (!reason.test(said)) throw new Error(`weft ${args.join(" ")} did not say ${reason}:\n${said}`);
  if (copy.changed() !== before) throw new Error(`it left something behind:\n${copy.changed()}`);
};

try {
  weft("eject", "shop", "--dry-run");
  if (copy.changed() !== "") throw new Error(`a dry run changed something:\n${copy.changed()}`);
  appendFileSync(join(copy.folder, "buf.gen.yaml"), "nonsense: true\n");
  refused(/git does not have these yet[\s\S]*buf\.gen\.yaml/, "eject", "shop");
  refused(/nothing was changed/, "eject", "shop", "--force"); // nothing can be generated
  copy.run("git", "checkout", "-q", "buf.gen.yaml");

  weft("eject", "shop");
  if (readdirSync(join(copy.folder, "services")).some((name) => name !== ".gitkeep"))
    throw new Error("services are left");
  if (existsSync(join(copy.folder, "proto/shop"))) throw new Error("contracts are left");
  commit();
  check();
  copy.run("npm", "run", "--silent", "gen");
  if (copy.changed() !== "") throw new Error(`generating again gives something else:\n${copy.changed()}`);
  // What the kit's own folders test does not depend on the shop, and has been tested with it.
  const folders = process.argv.includes("--all") ? [] : ["test/", "cli/", "deploy/", "dashboard/"];
  copy.run("npx", "vitest", "run", ...folders);

  // A first service: what is generated of it is as sound as the shop's was.
  weft("new", "service", "reviews");
  check();
  const ofServices = [
    "services/reviews",
    "test/contract",
    "test/mesh",
    "test/docs",
    "test/journeys",
    "edge/pages",
  ];
  copy.run("npx", "vitest", "run", "mesh/codegen/weft/contract", ...ofServices);
  weft("remove", "service", "reviews", "--yes");
  if (copy.changed() !== "") throw new Error(`something is left of the service:\n${copy.changed()}`);

  // Calls to it, through the edge.
  copy.run("npm", "run", "--silent", "scaffold:tutorial");
  console.log("ejected, tested, started, and a first service made");
} finally {
  if (!process.argv.includes("--keep")) copy.remove();
  else console.log(copy.folder);
}
