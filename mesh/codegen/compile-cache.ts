/** Imported before a plugin: what Node compiled stays for the next run, which halves the time to start. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Where it cannot be written Node goes on without.
enableCompileCache(join(import.meta.dirname, "../../.weft/compile-cache"));
