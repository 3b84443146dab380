import { type ClusterNode, isRound, type Settings } from "../config";
import { bareLook } from "./bareLook";
import { type Look, look } from "./look";
import type { NodeFacts } from "./node";

/** Bound of the look: a package manager reads all its lists for it. */
const TIMEOUT_MS = 60_000;

/** A package that would be upgraded. */
export interface Upgrade {
  readonly name: string;
  /** Empty where it is not installed yet, or its manager does not say. */
  readonly from: string;
  readonly to: string;
}

/** What a node's package manager says, by the lists that it has. */
export interface OsFacts {
  /** apt, dnf or zypper. */
  readonly manager: string;
  readonly upgrades: readonly Upgrade[];
  /** Packages that stay as they are, since of kernel and GPU driver only one would move. */
  readonly held: readonly string[];
  /** Why a reboot is pending; empty where none is. */
  readonly reboot: string;
  /** Why nobody there knows whether a reboot is needed; empty where that is known. */
  readonly unknown: string;
  /** The kernel that a reboot would boot without NVIDIA's driver, which the running one has on its host; empty where that is none. */
  readonly driverless: string;
}

/** Asks a node what would be upgraded there: read-only, bounded. */
export const lookAtOs = async (
  { osPatch }: Settings,
  node: ClusterNode,
  privateKey: string,
): Promise<OsFacts> =>
  parseOs(await bareLook(node, privateKey, "look-os", [osPatch.packages, String(node.gpu)], TIMEOUT_MS));

/**
 * What is known of a node's OS before a run. Nothing of one that has the wanted RKE2 on its disk: its packages are left as
 * they are (scripts/patch.sh); in a round of OS patches every node is asked. One that does not answer is not asked a second time.
 * @param seen the look at the node itself
 */
export async function lookBeforeTurn(
  settings: Settings,
  seen: Look<NodeFacts>,
  ask: () => Promise<OsFacts>,
): Promise<Look<OsFacts> | undefined> {
  if (!("value" in seen)) return seen;
  return !isRound(settings) && seen.value.versionOnDisk === settings.rke2Version ? undefined : look(ask);
}

/** Reads what look-os.sh printed. Pure. */
export function parseOs(stdout: string): OsFacts {
  const said = stdout.split("\n").map((line) => /^(\w+)=(.*)$/.exec(line) ?? []);
  const list = (key: string) => said.flatMap(([, name, value = ""]) => (name === key ? [value] : []));
  const text = (key: string) => list(key)[0] ?? "";
  return {
    manager: text("manager"),
    upgrades: list("update").map((line) => {
      const [name = "", from = "", to = ""] = line.split(" ");
      return { name, from: from === "-" ? "" : from, to };
    }),
    held: text("held").split(" ").filter(Boolean),
    reboot: text("reboot"),
    unknown: text("unknown"),
    driverless: text("driverless"),
  };
}
