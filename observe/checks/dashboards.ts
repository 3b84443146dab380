import type { Settings } from "../../config";
import { type Facts, inTurn } from "../facts";
import { type Finding, must, should } from "../finding";

/** Monitoring that answers from where the program runs (procedure §3.1: accessible from separate infrastructure). */
export function judgeDashboards(settings: Settings, { cluster, dashboards }: Facts): Finding[] {
  // One that lives in the cluster may be away with the node in its turn: going on is what mends it.
  const holds = settings.nodes.some(({ name }) => inTurn(settings, cluster, name)) ? should : must;
  return dashboards.map(({ url, status }) => ({
    check: `monitoring: ${url}`,
    found: "missing" in status ? status.missing : `HTTP ${status.value}`,
    wanted: "an answer below HTTP 500",
    momentary: true,
    ...holds(
      "value" in status && status.value < 500,
      `curl -kI ${url} from this machine: nobody should upgrade blindly`,
    ),
  }));
}
