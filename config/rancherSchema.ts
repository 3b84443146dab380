/** The keys `rancherVersion` and `rancher`: Rancher as a Helm release that is upgraded before Kubernetes, and rancher-backup's export (procedure §1.2, §6.1). */
import { z } from "zod";
import { seconds } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

/** Rancher's own community repository (ranchermanager.docs.rancher.com, "Choosing a Rancher Version"). */
const REPO = "https://releases.rancher.com/server-charts/stable";
/** How long helm and the health step wait: three replicas one after another, each with its migrations; our own. */
const TIMEOUT_SECONDS = 600;
/** An export of some thousand objects takes a minute or two; our own. */
const BACKUP_SECONDS = 600;

const label = (what: string, example: string) => hinted(z.string().regex(formats.dnsLabel), what, example);

const backup = z.strictObject({
  enabled: hinted(
    z.boolean(),
    "true or false; left out, one is made where rancherVersion is set",
    "true",
  ).optional(),
  resourceSet: label(
    "the name of rancher-backup's ResourceSet that says what is exported",
    "rancher-resource-set-full",
  ).default("rancher-resource-set-full"),
  encryptionSecret: label(
    "the name of a Secret in cattle-resources-system with rancher-backup's encryption config",
    "encryptionconfig",
  ).optional(),
  timeoutSeconds: seconds().default(BACKUP_SECONDS),
});

const rancher = z.strictObject({
  namespace: label("the namespace of Rancher's release", "cattle-system").default("cattle-system"),
  name: label("the name of Rancher's release: a DNS label in lower case", "rancher").default("rancher"),
  chart: hinted(
    z.string().regex(formats.chart),
    "a chart's name in repo, REPOSITORY/NAME of a helm repository of this machine, oci://…, or a path",
    "rancher",
  ).default("rancher"),
  repo: hinted(
    z.string().refine((text) => formats.isUrl(text, ["https", "http"])),
    `the URL of the chart's repository; left out, ${REPO} for a chart's bare name`,
    REPO,
  ).optional(),
  values: hinted(
    z.record(z.string(), z.unknown()),
    "an object: all of the chart's values, without secrets",
  ).default({}),
  adopt: hinted(z.boolean(), "true or false", "true").default(false),
  timeoutSeconds: seconds().default(TIMEOUT_SECONDS),
  awayClusters: hinted(
    z.array(hinted(z.string().regex(formats.dnsLabel), "a cluster's name in Rancher", "c-m-x7z2kq4p")),
    "a list of clusters, by name, that may be away before and after",
  ).default([]),
  backup: backup.prefault({}),
  restore: hinted(
    z.string().regex(formats.rancherBackupFile),
    "the file of an export that this program has made, as the report and the stack's state name it",
    "rke2up-cr-2025-068-2.14.3-0b450532-cee1-4aa1-a881-f5f48a007b1c-2026-11-24T07-27-09Z.tar.gz",
    { why: "Rancher goes back with its data: an older one does not read what a newer one wrote" },
  ).optional(),
});

export const rancherFields = {
  rancherVersion: hinted(
    z.string().regex(formats.rancherVersion),
    "one exact release of Rancher, X.Y.Z",
    "2.15.1",
    { why: "a range would have each run look for something newer" },
  ).optional(),
  rancher: rancher.prefault({}),
};

/** The key `rancher` with its defaults. */
export type RancherFields = z.output<typeof rancher>;

/** The repository of Rancher's chart, where one is needed. */
export const chartRepo = ({ chart, repo }: Pick<RancherFields, "chart" | "repo">): string | undefined =>
  repo ?? (/^[\w.-]+$/.test(chart) && !chart.endsWith(".tgz") ? REPO : undefined);
