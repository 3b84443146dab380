/** kube-bench's benchmarks for RKE2, and the Kubernetes that each is of. */
import { formatVersion, parseVersion } from "./versions";

/**
 * The folders rke2-cis-* of kube-bench's cfg/, oldest first, with the first minor of Kubernetes 1 that the CIS benchmark of
 * that number is for (kube-bench's docs/platforms.md). Not every release of kube-bench has the newest ones.
 */
const RKE2_BENCHMARKS = [
  { name: "rke2-cis-1.23", minor: 22 },
  { name: "rke2-cis-1.24", minor: 24 },
  { name: "rke2-cis-1.7", minor: 25 },
  { name: "rke2-cis-1.8", minor: 26 },
  { name: "rke2-cis-1.9", minor: 27 },
] as const;

/** What is to be said of a benchmark for a version of RKE2: nothing where no newer one that fits is known, or it is not. */
export function olderBenchmark(benchmark: string, wanted: string): string | undefined {
  const version = parseVersion(wanted);
  const own = RKE2_BENCHMARKS.find(({ name }) => name === benchmark);
  const newest = RKE2_BENCHMARKS.findLast(({ minor }) => version && minor <= version.minor);
  if (!version || !own || !newest || newest.minor <= own.minor) return undefined;
  return `${own.name} is of Kubernetes 1.${own.minor}, and ${formatVersion(version)} is wanted: the newest known for RKE2 is ${newest.name}, of 1.${newest.minor}; name it before a change begins, where your kube-bench has it (kube-bench's docs/platforms.md and cfg/)`;
}
