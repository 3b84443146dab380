import { requireAny } from "./access";
import { PveError } from "./errors";
import type { Method, Site } from "./method";
import { methods } from "./methods";
import { type Given, type Rules, text, verify, vmId } from "./parameters";

/** A request in the API's own terms. */
export interface ApiRequest {
  readonly method: string;
  /** Below /api2/json, decoded part by part. */
  readonly path: string;
  /** Query and body together. */
  readonly parameters: Given;
  /** The token that asks. */
  readonly who: string;
}

/** What every path may hold. */
const inPath: Rules = { node: text, vmid: vmId };

/**
 * Finds the method, asks for the right, then for the host, then verifies the parameters: in the order of Proxmox VE,
 * so that a caller without the right learns nothing else.
 */
export async function dispatch(site: Site, request: ApiRequest): Promise<unknown> {
  const { method, inPath: found } = find(request);
  const cluster = site.clusterFile.read();
  const { permission } = method;
  if (permission) {
    const path = permission.path.replace(/\{(\w+)\}/g, (_, name: string) => found[name] ?? "");
    requireAny(cluster, request.who, path, permission.any);
  }
  if (found.node !== undefined) reach(site, cluster.nodes, found.node);
  const ofPath = Object.keys(found).filter((name) => name in inPath);
  const rules = { ...Object.fromEntries(ofPath.map((name) => [name, inPath[name]])), ...method.parameters };
  const values = verify(rules as Rules, { ...request.parameters, ...found });
  if (request.method !== "GET" && !cluster.quorate) throw new PveError("cluster not ready - no quorum?");
  return method.run(site, { who: request.who, cluster, values });
}

function find({ method, path }: ApiRequest): { method: Method; inPath: Record<string, string> } {
  const parts = path.split("/");
  for (const candidate of methods) {
    const wanted = candidate.path.split("/");
    if (candidate.method !== method || wanted.length !== parts.length) continue;
    const inPath: Record<string, string> = {};
    const fits = wanted.every((want, i) => {
      const part = decodeURIComponent(parts[i] ?? "");
      if (!want.startsWith("{")) return want === part;
      inPath[want.slice(1, -1)] = part;
      return part !== "";
    });
    if (fits) return { method: candidate, inPath };
  }
  throw new PveError(`Method '${method} ${path}' not implemented`, 501);
}

/** Any host answers for all of them, and hands on what is another's. */
function reach(site: Site, nodes: readonly string[], node: string): void {
  if (!nodes.includes(node)) {
    throw new PveError(
      `hostname lookup '${node}' failed - failed to get address info for: ${node}: Name or service not known`,
    );
  }
  if (site.faults.isOn(`node-offline-${node}`)) throw new PveError("No route to host", 595);
  if (site.faults.isOn(`node-hangs-${node}`)) throw new PveError("Connection timed out", 596);
}
