import { timingSafeEqual } from "node:crypto";
import type { Cluster } from "./cluster";
import { PveError } from "./errors";

/** Privileges on a path, and whether each reaches the paths below. */
type Grants = Map<string, boolean>;

/**
 * Who asks: the token of the Authorization header.
 * @throws PveError 401, of which Proxmox VE sends the status line alone
 */
export function authenticate(cluster: Cluster, header: string | undefined): string {
  const [, tokenId = "", secret = ""] = /^PVEAPIToken=([^=\s]+)=(\S+)$/.exec(header ?? "") ?? [];
  if (!tokenId) throw new PveError("No ticket", 401);
  const token = cluster.tokens[tokenId];
  if (!token) {
    const [user, name] = tokenId.split("!");
    throw new PveError(`no such token '${name}' for user '${user}'`, 401);
  }
  const [given, wanted] = [Buffer.from(secret), Buffer.from(token.secret)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new PveError("invalid token value!", 401);
  }
  return tokenId;
}

/**
 * What a user or token may do on a path. A rule nearer to the path replaces those above it. A token with privilege
 * separation has what its user and itself both have; one without has its user's.
 */
export function privileges(cluster: Cluster, who: string, path: string): Set<string> {
  const [user = who] = who.split("!");
  if (user === who) return ofOne(cluster, who, path);
  const ofUser = ofOne(cluster, user, path);
  if (!cluster.tokens[who]?.privsep) return ofUser;
  const ofToken = ofOne(cluster, who, path);
  return new Set([...ofUser].filter((privilege) => ofToken.has(privilege)));
}

function ofOne(cluster: Cluster, ugid: string, path: string): Set<string> {
  if (ugid === "root@pam") return new Set(cluster.roles.Administrator);
  let grants: Grants = new Map();
  for (const level of levels(path)) {
    const rules = cluster.acl.filter((rule) => rule.ugid === ugid && rule.path === level);
    if (rules.length > 0) grants = union(cluster, rules);
    else if (level !== "/") grants = new Map([...grants].filter(([, propagate]) => propagate));
  }
  return new Set(grants.keys());
}

/** `/`, `/vms`, `/vms/3001` for the last of them. */
function levels(path: string): string[] {
  const parts = path.split("/").filter(Boolean);
  return ["/", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
}

function union(cluster: Cluster, rules: Cluster["acl"]): Grants {
  const grants: Grants = new Map();
  for (const { roleid, propagate } of rules) {
    for (const privilege of cluster.roles[roleid] ?? []) {
      grants.set(privilege, propagate || grants.get(privilege) === true);
    }
  }
  return grants;
}

/** @throws PveError 403 where the caller has none of the privileges on the path */
export function requireAny(cluster: Cluster, who: string, path: string, wanted: readonly string[]): void {
  const held = privileges(cluster, who, path);
  if (!wanted.some((privilege) => held.has(privilege))) {
    throw new PveError(`Permission check failed (${path}, ${wanted.join("|")})`, 403);
  }
}

/** What a user or token may do, by path, as GET /access/permissions tells it: on one path, or on all that have rules. */
export function permissionTree(
  cluster: Cluster,
  who: string,
  path?: string,
): Record<string, Record<string, number>> {
  const heldOn = (one: string) =>
    Object.fromEntries([...privileges(cluster, who, one)].sort().map((privilege) => [privilege, 1]));
  if (path) return { [path]: heldOn(path) };
  const usual = ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
  const paths = [...new Set([...usual, ...cluster.acl.map((rule) => rule.path)])].sort();
  const all = paths.map((one) => [one, heldOn(one)] as const);
  return Object.fromEntries(all.filter(([, held]) => Object.keys(held).length > 0));
}
