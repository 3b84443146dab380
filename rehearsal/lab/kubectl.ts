import { join } from "node:path";
import { runInNetwork } from "../machines/network";
import { operator } from "./operator";
import type { LabState } from "./state";

/** kubectl as the operator has it, with the cluster's admin credentials over the API's virtual address. */
export class Kubectl {
  constructor(private readonly state: Pick<LabState, "builds">) {}

  /** Runs kubectl and returns its output; each request is bounded to ten seconds. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const common = ["--kubeconfig", operator.kubeconfig, "--request-timeout=10s"];
    return runInNetwork(join(this.state.builds.kubernetes, "kubectl"), [...common, ...args], { input });
  }

  /** Lists objects of a kind (all namespaces) as the API has them. */
  async list<T>(kind: string): Promise<T[]> {
    const { items } = JSON.parse(await this.run(["get", kind, "--all-namespaces", "--output=json"])) as {
      items: T[];
    };
    return items;
  }

  async apply(manifest: string): Promise<void> {
    await this.run(["apply", "--server-side", "--force-conflicts", "--filename=-"], manifest);
  }
}
