/** protoc plugin: writes mesh, cluster, alerts and pages from the policy options of a contract. Run by buf generate. */
import { runNodeJs } from "@bufbuild/protoplugin";
import { weftPlugin } from "./weft/plugin.ts";

runNodeJs(weftPlugin);
