import { isAtLeastMinor, type Version } from "./versions";

/** A version of one of Kubernetes' own kinds that a release no longer serves. */
export interface RemovedApi {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** The first Kubernetes minor without it: 37 is 1.37. */
  readonly removedIn: number;
  /** Versions that go on serving the same objects, where they are switched on. */
  readonly successors: readonly string[];
}

const removed = (
  removedIn: number,
  group: string,
  version: string,
  resources: readonly string[],
  successors: readonly string[],
): RemovedApi[] => resources.map((resource) => ({ group, version, resource, removedIn, successors }));

/**
 * From k8s.io/api v0.36.3, APILifecycleRemoved of each kind, read on 2026-11-24. What a cluster's own components make
 * anew by themselves (LeaseCandidate) is left out. A new minor of Kubernetes brings new rows.
 */
const REMOVED: readonly RemovedApi[] = [
  ...removed(37, "certificates.k8s.io", "v1alpha1", ["clustertrustbundles"], ["v1beta1"]),
  ...removed(37, "networking.k8s.io", "v1beta1", ["ipaddresses", "servicecidrs"], ["v1"]),
  ...removed(37, "storage.k8s.io", "v1beta1", ["volumeattributesclasses"], ["v1"]),
  ...removed(
    38,
    "admissionregistration.k8s.io",
    "v1alpha1",
    ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"],
    ["v1beta1", "v1"],
  ),
  ...removed(
    38,
    "resource.k8s.io",
    "v1beta1",
    ["deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"],
    ["v1beta2", "v1"],
  ),
];

/** The last Kubernetes minor whose removals stand above: of later ones nobody here knows. */
export const REMOVALS_KNOWN_TO = 38;

/** What is served before a move and not after it. Pure. */
export const removedBetween = (from: Version, to: Version): RemovedApi[] =>
  REMOVED.filter(({ removedIn }) => !isAtLeastMinor(from, 1, removedIn) && isAtLeastMinor(to, 1, removedIn));
