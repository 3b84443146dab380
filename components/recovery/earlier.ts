import { isWholeCluster, type Settings } from "../../config";
import type { Finding } from "../../observe";
import type { Look } from "../../observe/look";
import { asText } from "../changePolicy";
import { isMend, nodesOf } from "./dataTouched";
import type { Attempt } from "./record";

/**
 * Whether earlier ways back that were left open let this one begin. Servers of which one was reset or put back must not
 * start as they are: two clusters would come up, or one on old data. Pure.
 * @param open every attempt that is not at its end, this one's own too
 * @param touched whether any of them left servers that no longer hold the same data
 */
export function judgeEarlier(
  settings: Settings,
  open: readonly Attempt[],
  touched: Look<boolean>,
): Finding[] {
  const { goBack, servers } = settings;
  const others = open.filter((one) => one.goBack !== asText(goBack));
  // Whoever restores etcd brings every server to one state, whatever it is in.
  if (!goBack || others.length === 0 || (isWholeCluster(goBack) && goBack.strategy !== "reinstall"))
    return [];
  const told = others.map(({ goBack: asked, beganAt }) => `${asked} of ${beganAt}`).join(", ");
  const asked = { check: "earlier way back: none is open that this one would break" };
  const wanted = "each at its end, or taken up by going forward";
  const whole = others.find((one) => !isMend(one));
  if (whole && !isWholeCluster(goBack))
    return [
      {
        ...asked,
        found: `${told}: of the whole cluster, nodes may be stopped`,
        wanted,
        verdict: "fail",
        next: `bring that to its end (goBack.strategy ${whole.goBack}; an agent that is dead: goBack.without), or go forward first: unset goBack, pulumi up`,
      },
    ];
  // Its member is out of etcd, or about to be: it takes a wipe to join.
  const putBack = others
    .filter((one) => one.goBack.startsWith("rollback:"))
    .flatMap(nodesOf)
    .filter((name) => servers.some((server) => server.name === name))
    .filter((name) => goBack.strategy === "reinstall" && (goBack.nodes?.includes(name) ?? true));
  if (putBack.length > 0)
    return [
      {
        ...asked,
        found: `${told}: ${putBack.join(", ")} may hold old etcd data`,
        wanted,
        verdict: "fail",
        next: `bring that to its end first: goBack {strategy: rollback, nodes: [${putBack[0]}]}, or go forward: unset goBack`,
      },
    ];
  const next =
    "goBack.strategy restore (or rollback), without nodes, brings all servers to one state; so does going forward: unset goBack";
  if ("missing" in touched)
    return [{ ...asked, found: `${told}: ${touched.missing}`, wanted, verdict: "not measured", next }];
  const found = `${told}: servers no longer hold the same data`;
  return [
    touched.value
      ? { ...asked, found, wanted, verdict: "fail", next }
      : { ...asked, found: told, wanted, verdict: "pass" },
  ];
}
