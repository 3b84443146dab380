/** The key `operators`: what runs in the cluster as a Helm release and is upgraded with it, before or after Kubernetes (procedure §3.1). */
import { z } from "zod";
import { seconds } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

/** How long helm waits where nothing else is said: the default of helm and of Pulumi's Kubernetes plugin. */
const TIMEOUT_SECONDS = 300;

const label = (what: string) => hinted(z.string().regex(formats.dnsLabel), what, "cert-manager");

const condition = z.strictObject({
  resource: hinted(
    z.string().regex(formats.kubernetesObject),
    "an object as kubectl names it, TYPE[.GROUP]/NAME",
    "clusterpolicies.nvidia.com/cluster-policy",
  ),
  path: hinted(
    z.string().regex(formats.jsonPath),
    "a JSONPath within it, as kubectl's -o jsonpath takes it, without braces",
    ".status.state",
  ),
  value: hinted(z.string().min(1).max(200), "what must stand there, as text", "ready"),
});

const operator = z.strictObject({
  name: label("the Helm release's name: a DNS label in lower case"),
  namespace: label("the release's namespace"),
  chart: hinted(
    z.string().regex(formats.chart),
    "a chart's name in repo, REPOSITORY/NAME of a helm repository of this machine, oci://…, or a path",
    "cert-manager",
  ),
  repo: hinted(
    z.string().refine((text) => formats.isUrl(text, ["https", "http"])),
    "the URL of the chart's repository",
    "https://charts.jetstack.io",
  ).optional(),
  version: hinted(z.string().regex(formats.chartVersion), "one exact version of the chart", "v1.21.2", {
    why: "a range would have each run look for something newer",
  }),
  when: hinted(
    z.enum(["before", "after"]),
    '"before" (the first server) or "after" (the last agent)',
    "after",
  ),
  values: hinted(z.record(z.string(), z.unknown()), "an object: the chart's values, without secrets").default(
    {},
  ),
  adopt: hinted(z.boolean(), "true or false", "true").default(false),
  timeoutSeconds: seconds().default(TIMEOUT_SECONDS),
  health: hinted(z.array(condition), "a list of {resource, path, value}").default([]),
});

export const operatorsField = hinted(
  z.array(operator),
  "a list of {name, namespace, chart, repo, version, when, values, adopt, timeoutSeconds, health}",
).default([]);

/** A Helm release that is part of a change. */
export type Operator = z.output<typeof operator> & {
  /** Rancher itself, from its own keys. */
  readonly rancher?: true;
};
