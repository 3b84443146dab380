import type { Scenario, Settings } from "../../config";

/** Which failure of procedure §6.2 the way back that is asked for repairs, whose objectives it is measured by. */
export function scenarioOf({ goBack, servers }: Pick<Settings, "goBack" | "servers">): Scenario {
  if (goBack?.nodes) {
    return servers.some(({ name }) => goBack.nodes?.includes(name)) ? "controlPlane" : "worker";
  }
  return goBack?.strategy === "rollback" ? "fullCluster" : "partialUpgrade";
}
