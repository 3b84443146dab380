import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Link, type Run, step } from "./step";
import { chartsSettled, validate } from "./turns";

/** Seconds after which the smoke test's Job goes by itself; the report has read it by then. */
const SMOKE_TEST_TTL_SECONDS = 600;

/** A user without rights: on a hardened cluster (`profile: cis`) RKE2 admits to `default` what is restricted alone. */
const NOBODY = 65534;

/** Waits, between the last server and the first agent, until RKE2's own charts are rolled out. */
export class Charts extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor(
    name: string,
    { run, after }: { run: Run; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("rke2:components:Charts", name, {}, opts);
    this.tail = step(run, { parent: this, after }, `${name}-settled`, chartsSettled(run.settings));
    this.registerOutputs({});
  }
}

/** Arguments of {@link Validation}. */
export interface ValidationArgs {
  readonly run: Run;
  readonly after: pulumi.Resource;
  readonly cluster: k8s.Provider;
}

/** Post-upgrade validation (procedure §3.3.3): versions, components, pods, ingress; then a workload that runs to its end. */
export class Validation extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor(name: string, { run, after, cluster }: ValidationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("rke2:components:Validation", name, {}, opts);
    const { settings, change } = run;
    const validated = step(run, { parent: this, after }, `${name}-validate`, validate(settings));
    // A new attempt is a new Job: a Job's template cannot be changed, and the old one has gone by its TTL.
    const jobName = pulumi.interpolate`rke2-upgrade-smoke-${settings.changeId.toLowerCase().replaceAll("_", "-")}-${change.attempt}`;
    this.tail = new k8s.batch.v1.Job(
      `${name}-smoke-test`,
      {
        // A failed one is replaced by the next run, not met again.
        metadata: {
          name: jobName,
          namespace: "default",
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: settings.limits.smokeTestSeconds,
          ttlSecondsAfterFinished: SMOKE_TEST_TTL_SECONDS,
          template: {
            spec: {
              restartPolicy: "Never",
              securityContext: {
                runAsNonRoot: true,
                runAsUser: NOBODY,
                seccompProfile: { type: "RuntimeDefault" },
              },
              containers: [
                {
                  name: "smoke-test",
                  image: settings.validation.image,
                  command: ["true"],
                  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                },
              ],
            },
          },
        },
      },
      {
        parent: this,
        provider: cluster,
        dependsOn: [validated],
        hooks: run.hooks,
        retainOnDelete: true,
        customTimeouts: { create: `${settings.limits.smokeTestSeconds}s` },
      },
    );
    this.registerOutputs({});
  }
}

/** The version manifest in the cluster: what the stack says, for whoever looks there. A function of config alone. */
export class Manifest extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor(name: string, { run, after, cluster }: ValidationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("rke2:components:Manifest", name, {}, opts);
    const { rke2Version, acceptedVersion, changeId, nodes } = run.settings;
    this.tail = new k8s.core.v1.ConfigMap(
      `${name}-configmap`,
      {
        metadata: { name: "rke2-upgrade-manifest", namespace: "kube-system" },
        data: { rke2Version, acceptedVersion, changeId, nodes: nodes.map((node) => node.name).join(" ") },
      },
      { parent: this, provider: cluster, dependsOn: [after], retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}
