// Built-in modules and plain syntax only: this runs before anything is installed, on whatever Node there is.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const modules = path.join(root, "node_modules");
