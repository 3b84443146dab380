/** Who came to a node in a span of time, and what was asked of its API server: read-only, bounded. */
import { hash } from "node:crypto";
import { utils } from "ssh2";
import type { ClusterNode } from "../config";
import { bareLook } from "./bareLook";
import { type Login, parseLogins, type Span } from "./logins";
import type { Look } from "./look";
import { parseRequests, type Request } from "./requests";

/** The journal and, on servers, hours of an audit log. The script bounds each; this is the bound of both together. */
const TIMEOUT_MS = 150_000;
/** Lines of one node's journal: a session of ours leaves two. */
const LINES = 20_000;

/** What a node's journal says. */
export interface NodeAccess {
  readonly logins: readonly Login[];
  /** What is known to be missing. */
  readonly notes: readonly string[];
  /** Of servers alone. */
  readonly requests?: Look<readonly Request[]>;
}

/** Looks at one node over SSH. @throws with its reason where it does not answer */
export async function lookAtAccess(node: ClusterNode, privateKey: string, span: Span): Promise<NodeAccess> {
  const words = [span.from / 1000, span.until / 1000, LINES, node.role];
  const stdout = await bareLook(node, privateKey, "look-access", words, TIMEOUT_MS);
  return parseAccess(stdout, span, fingerprintOf(privateKey));
}

/** Reads what look-access.sh printed. Pure. */
export function parseAccess(stdout: string, span: Span, fingerprint: string): NodeAccess {
  const said = new Map<string, string[]>();
  for (const line of stdout.split("\n").filter((line) => line.includes("="))) {
    const key = line.slice(0, line.indexOf("="));
    const values = said.get(key) ?? [];
    values.push(line.slice(key.length + 1));
    said.set(key, values);
  }
  const lines = said.get("journal") ?? [];
  const begins = Number(said.get("journalFrom")?.[0]) / 1000;
  const notes = [
    ...(begins > 0 && begins <= span.from
      ? []
      : [
          begins > 0
            ? `its journal begins at ${new Date(begins).toISOString()}: what was before is gone`
            : "its journal is empty",
        ]),
    ...(lines.length > LINES ? [`over ${LINES} lines in its journal: the oldest were left out`] : []),
  ];
  return {
    logins: parseLogins(lines.slice(-LINES), span, fingerprint),
    notes,
    ...(said.has("audit") && { requests: requestsIn(said) }),
  };
}

function requestsIn(said: ReadonlyMap<string, readonly string[]>): Look<readonly Request[]> {
  const [path, count] = ["audit", "auditLines"].map((key) => said.get(key)?.[0] ?? "");
  if (!path) return { missing: "the API server keeps no audit log (kube-apiserver's --audit-log-path)" };
  // RKE2's own policy logs nothing, and a log of no request at all comes from such a one.
  if (!(Number(count) > 0)) return { missing: `${path} has no request of that time: its policy logs none` };
  return { value: parseRequests(said.get("audited") ?? []) };
}

/** A key's fingerprint, as sshd writes it. @throws where it is no private key */
export function fingerprintOf(privateKey: string): string {
  const parsed = utils.parseKey(privateKey);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || !key) throw new Error("sshPrivateKey is no SSH private key");
  return `SHA256:${hash("sha256", key.getPublicSSH(), "base64").replace(/=+$/, "")}`;
}
