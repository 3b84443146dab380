import type { ClusterNode, Settings } from "../../config";
import type { Finding } from "../finding";
import type { NodeFacts } from "../node";
import { unknown } from "../unmeasured";

/**
 * Certificates about to expire, by RKE2's own word (`rke2 certificate check`). RKE2 renews those within 120 days of
 * their end at its next start, which an upgrade is; what is expired already keeps nodes from talking before it.
 * @param turn the node is in its turn: its RKE2 may be between two versions, and going on is what mends it
 */
export function judgeCertificates(
  { limits }: Settings,
  node: ClusterNode,
  { certificates, dueCertificates }: NodeFacts,
  { now, turn }: { now: Date; turn: boolean },
): Finding[] {
  const check = `${node.name}: certificates`;
  const wanted = `valid for ${limits.certificateDays} days`;
  if (certificates === 0) {
    const next = `rke2 certificate check on ${node.name}`;
    const finding = unknown({ check, wanted }, "rke2 certificate check lists none", next);
    return [turn ? { ...finding, verdict: "warn" } : finding];
  }
  const days = (expires: Date) => (expires.getTime() - now.getTime()) / 86_400_000;
  const bad = dueCertificates.filter(
    // What RKE2 says cannot be read is not valid.
    ({ expires, status }) => status !== "WARNING" || !(days(expires) >= limits.certificateDays),
  );
  const tell = (list: typeof dueCertificates) =>
    list.map(({ name, expires, status }) => `${name} ${status}, ${dateOf(expires)}`).join("; ");
  const due = dueCertificates.filter((one) => !bad.includes(one));
  if (bad.length === 0 && due.length === 0)
    return [{ check, found: `${certificates} valid`, wanted, verdict: "pass" }];
  return [
    {
      check,
      found: tell(bad.length ? bad : due),
      wanted,
      ...(bad.length > 0
        ? {
            verdict: "fail",
            next: `systemctl restart rke2-${node.role} on ${node.name} renews them; an authority (CA) needs rke2 certificate rotate-ca`,
          }
        : { verdict: "warn", next: "nothing: the restart of this upgrade renews them" }),
    },
  ];
}

const dateOf = (date: Date): string =>
  Number.isNaN(date.getTime()) ? "no date" : (date.toISOString().split("T")[0] ?? "");
