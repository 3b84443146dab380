import type { Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";

/** Monitoring that answers from where the program runs (procedure §3.1: accessible from separate infrastructure). */
export const judgeDashboards = (_: Settings, { dashboards }: Facts): Finding[] =>
  dashboards.map(({ url, status }) => ({
    check: `monitoring: ${url}`,
    found: "missing" in status ? status.missing : `HTTP ${status.value}`,
    wanted: "an answer below HTTP 500",
    ...must(
      "value" in status && status.value < 500,
      `curl -kI ${url} from this machine: nobody should upgrade blindly`,
    ),
  }));
