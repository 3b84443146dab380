/** An API version that somebody asked an API server for and that a release will remove. */
export interface DeprecatedApi {
  /** `networking.k8s.io`; empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** The Kubernetes minor that no longer serves it, `1.37`. */
  readonly removedRelease: string;
}

/**
 * Reads the API server's own metric `apiserver_requested_deprecated_apis`, one sample a line. It counts from that
 * server's last start. What is deprecated without an end in sight has no `removed_release` and is left out.
 */
export function parseDeprecatedApis(samples: readonly string[]): DeprecatedApi[] {
  return samples.flatMap((line) => {
    if (!/^apiserver_requested_deprecated_apis\{.*\} [1-9]/.test(line)) return [];
    const labels = new Map(
      [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value ?? ""]),
    );
    const label = (key: string) => labels.get(key) ?? "";
    const removedRelease = label("removed_release");
    if (!removedRelease) return [];
    return [
      { group: label("group"), version: label("version"), resource: label("resource"), removedRelease },
    ];
  });
}

/** As people write it, and as it is acknowledged: `networking.k8s.io/v1beta1 servicecidrs`. */
export const describeApi = ({
  group,
  version,
  resource,
}: Pick<DeprecatedApi, "group" | "version" | "resource">): string =>
  `${group ? `${group}/` : ""}${version} ${resource}`;
