import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDirectory } from "../machines/paths";
import { Kubectl } from "./kubectl";
import type { LabState } from "./state";

const directory = join(projectDirectory, "rehearsal", "workloads");

/** Creates what runs on the lab's cluster: every manifest of rehearsal/workloads, in alphabetical order. */
export async function applyWorkloads(state: LabState): Promise<void> {
  const kubectl = new Kubectl(state);
  for (const file of (await readdir(directory)).filter((name) => name.endsWith(".yaml")).sort()) {
    await kubectl.apply(await readFile(join(directory, file), "utf8"));
  }
}
