import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDirectory } from "../machines/paths";
import { until } from "../machines/poll";
import { Kubectl } from "./kubectl";
import type { LabState } from "./state";

const directory = join(projectDirectory, "rehearsal", "workloads");

/** Creates what runs on the lab's cluster: every manifest of rehearsal/workloads, in alphabetical order. */
export async function applyWorkloads(state: LabState): Promise<void> {
  const kubectl = new Kubectl(state);
  for (const file of (await readdir(directory)).filter((name) => name.endsWith(".yaml")).sort()) {
    const manifest = await readFile(join(directory, file), "utf8");
    // An object of a kind that has just been declared is known a moment later.
    await until(file, 15, () => kubectl.apply(manifest).then(() => true));
  }
}
