/** Looks at the cluster once a second while something runs, from outside the program. */
import { kubectl, type Running, start } from "./operator";

/** Nodes and budgets at one moment. */
export interface Sample {
  readonly at: number;
  /** Nodes that were not Ready. */
  readonly notReady: readonly string[];
  readonly cordoned: readonly string[];
  /** Budgets with fewer healthy pods than they demand. */
  readonly violated: readonly string[];
}

interface List {
  items: {
    kind: string;
    metadata: { name: string };
    spec: { unschedulable?: boolean };
    status: {
      conditions?: { type: string; status: string }[];
      currentHealthy?: number;
      desiredHealthy?: number;
    };
  }[];
}

/** Starts to watch. `stop` gives what was seen. */
export function watch(): { stop(): Promise<Sample[]> } {
  const samples: Sample[] = [];
  let watching = true;
  const looking = (async () => {
    while (watching) {
      const at = Date.now();
      // While a server restarts, the virtual IP may not answer for a moment: no sample then.
      const list = await kubectl<List>(
        "get",
        "nodes,poddisruptionbudgets",
        "--all-namespaces",
        "--request-timeout=5s",
      ).catch(() => undefined);
      if (list) samples.push({ at, ...judge(list) });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + 1000 - Date.now())));
    }
  })();
  return {
    async stop() {
      watching = false;
      await looking;
      return samples;
    },
  };
}

function judge({ items }: List): Omit<Sample, "at"> {
  const nodes = items.filter(({ kind }) => kind === "Node");
  const names = (rows: List["items"]) => rows.map(({ metadata }) => metadata.name);
  return {
    notReady: names(
      nodes.filter(({ status }) => status.conditions?.find((c) => c.type === "Ready")?.status !== "True"),
    ),
    cordoned: names(nodes.filter(({ spec }) => spec.unschedulable)),
    violated: names(
      items.filter(
        ({ kind, status }) =>
          kind === "PodDisruptionBudget" && (status.currentHealthy ?? 0) < (status.desiredHealthy ?? 0),
      ),
    ),
  };
}

/** What an engine that failed said of it: its outputs come after, and would push that off a CI log's end. */
export const diagnostics = (output: string): string =>
  output.split(/^(?=Diagnostics:|Outputs:)/m).find((part) => part.startsWith("Diagnostics:")) ?? output;

/** Waits until a command has printed something, bounded. */
export async function printed(running: Running, pattern: RegExp, minutes: number): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  let over = false;
  running.ended.then(() => {
    over = true;
  });
  while (!pattern.test(running.output())) {
    if (over) throw new Error(`ended before it printed ${pattern}:\n${diagnostics(running.output())}`);
    if (Date.now() > deadline) throw new Error(`did not print ${pattern} within ${minutes} min`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export { start };
