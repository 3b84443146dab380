/**
 * GLPI's inventory (procedure §5.2, CIS 3.4: "version manifest in GLPI"): the software RKE2 with its releases as
 * versions, installed on the nodes' Computers. An installation is moved to another version as GLPI's own action does.
 */
import { z } from "zod";
import type { GlpiSession } from "./glpiSession";
import { Refused } from "./message";

/** What the software is called; its makers' own name. */
const SOFTWARE = "RKE2";

const identified = z.object({ id: z.int() });
const installed = z.object({ id: z.int(), softwareversions_id: z.int() });

/**
 * Records what was proven on each node, found by its name among GLPI's Computers. Done twice it does its work once.
 * @throws Refused where GLPI holds no Computer of a node's name, or several, after all others were recorded
 */
export async function recordVersions(
  session: GlpiSession,
  versions: Readonly<Record<string, string>>,
): Promise<string> {
  const software = await found(session, "Software", SOFTWARE, { name: SOFTWARE });
  const known = new Map(
    (
      await session.list(`Software/${software}/SoftwareVersion`, z.object({ id: z.int(), name: z.string() }))
    ).map(({ id, name }) => [name, id]),
  );
  const missing: string[] = [];
  for (const [node, version] of Object.entries(versions)) {
    const computers = await session.list("Computer", identified, node);
    const [computer] = computers;
    if (!computer || computers.length > 1) {
      missing.push(
        computer ? `${computers.length} Computers are named ${node}` : `no Computer is named ${node}`,
      );
      continue;
    }
    const wanted =
      known.get(version) ?? (await session.add("SoftwareVersion", { name: version, softwares_id: software }));
    known.set(version, wanted);
    await install(session, computer.id, wanted, [...known.values()]);
  }
  const nodes = Object.keys(versions).length;
  const done = `RKE2's version of ${nodes - missing.length} of ${nodes} nodes is recorded`;
  if (missing.length > 0) throw new Refused(`${done}: ${missing.join("; ")}`);
  return done;
}

async function install(
  session: GlpiSession,
  computer: number,
  wanted: number,
  ours: readonly number[],
): Promise<void> {
  const all = await session.list(`Computer/${computer}/Item_SoftwareVersion`, installed);
  if (all.some(({ softwareversions_id }) => softwareversions_id === wanted)) return;
  const before = all.find(({ softwareversions_id }) => ours.includes(softwareversions_id));
  if (before) await session.update("Item_SoftwareVersion", before.id, { softwareversions_id: wanted });
  else
    await session.add("Item_SoftwareVersion", {
      itemtype: "Computer",
      items_id: computer,
      softwareversions_id: wanted,
    });
}

async function found(
  session: GlpiSession,
  itemtype: string,
  name: string,
  input: Record<string, unknown>,
): Promise<number> {
  const [one] = await session.list(itemtype, identified, name);
  return one?.id ?? session.add(itemtype, input);
}
