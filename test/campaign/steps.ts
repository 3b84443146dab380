import type { Running } from "../e2e/operator";

/** A resource that Pulumi says it is done with: ` +  command:remote:Command proj-k8sm01-install created (1.2s)`. */
const DONE = /^\s*[+~-]*\s+\S+:\S+ (\S+) (?:created|updated|replaced)(?: \(|$)/gm;

/** Names of the resources whose step has ended, in what `pulumi up` printed so far. */
export const stepsDone = (printed: string): string[] =>
  [...printed.matchAll(DONE)].map(([, name]) => name ?? "");

/** Waits for the first ended step that `wanted` takes; undefined when the run ends without one. */
export async function firstStep(
  running: Running,
  wanted: (step: string) => boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const found = stepsDone(running.output()).find(wanted);
      if (found) resolve(found);
      return found;
    };
    running.process.stdout?.on("data", look);
    running.ended.then(
      () => look() ?? resolve(undefined),
      () => resolve(undefined),
    );
  });
}
