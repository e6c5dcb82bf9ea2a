/** protoc plugin: writes mesh, cluster, alerts and pages from the policy options of a contract. Run by buf generate. */
import "./compile-cache.ts";

const { runNodeJs } = await import("@bufbuild/protoplugin");
const { weftPlugin } = await import("./weft/plugin.ts");
runNodeJs(weftPlugin);
