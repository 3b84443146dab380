/** What takes more than one key to judge of operators. Pure. */
import type { Mistake } from "./mistakes";
import type { Draft } from "./rules";
import type { Settings } from "./settings";

type Entry = NonNullable<NonNullable<Draft["operators"]>[number]>;

/** Every broken rule of `operators`. */
export function judgeOperators({ operators = [], nodes = [] }: Draft): Mistake[] {
  const hasGpu = nodes.some((node) => node?.gpu);
  return [
    ...judgeNames(operators),
    ...operators.flatMap((entry, i) =>
      entry
        ? [judgeGpuOperator(entry, hasGpu), judgeSource(entry)].flatMap((rule) =>
            rule ? [{ ...rule, path: `operators[${i}].${rule.path}` }] : [],
          )
        : [],
    ),
  ];
}

/** Names are those of steps and releases: each once. */
function judgeNames(operators: NonNullable<Draft["operators"]>): Mistake[] {
  const first = new Map<string, number>();
  return operators.flatMap((entry, i): Mistake[] => {
    const name = entry?.name;
    const earlier = name === undefined ? undefined : first.get(name);
    if (name === undefined) return [];
    if (earlier === undefined) {
      first.set(name, i);
      return [];
    }
    const found = `"${name}", which operators[${earlier}] has already`;
    return [{ path: `operators[${i}].name`, found, allowed: "a name that no other operator has" }];
  });
}

/** Whether an entry is the GPU operator, by its name or its chart's. */
export const isGpuOperator = ({ name, chart }: Pick<Entry, "name" | "chart">): boolean =>
  [name, chart].some((text) => text?.split("/").at(-1)?.startsWith("gpu-operator"));

/** Where the GPU operator's pods are: the namespace of its entry, or that of its documentation where `operators` has none. */
export const gpuOperatorNamespace = ({ operators }: Pick<Settings, "operators">): string =>
  operators.find(isGpuOperator)?.namespace ?? "gpu-operator";

/** Procedure §3.3.4: only after the node upgrade is complete. */
function judgeGpuOperator(entry: Entry, hasGpu: boolean): Mistake | undefined {
  if (!isGpuOperator(entry) || entry.when !== "before" || !hasGpu) return undefined;
  return {
    path: "when",
    found: '"before"',
    allowed: '"after" for the GPU operator',
    example: "after",
    why: "procedure §3.3.4: the GPU operator is updated only after its node's upgrade is complete",
  };
}

/** A chart's own place and a repository exclude each other. */
function judgeSource({ chart, repo }: Entry): Mistake | undefined {
  if (chart === undefined || repo === undefined || /^[\w.-]+$/.test(chart)) return undefined;
  return {
    path: "chart",
    found: `"${chart}", with repo ${repo}`,
    allowed: "a chart's name alone where repo is set",
    example: chart.split("/").at(-1) || "cert-manager",
  };
}
