/** Formats of single values: true or false, no Pulumi, no messages. */
import { X509Certificate } from "node:crypto";
import { isIPv4 } from "node:net";
import { Encrypter } from "age-encryption";
import { DateTime, IANAZone } from "luxon";

/** A DNS label (RFC 1123): lower case, 1–63 characters. */
export const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * A node's name in Kubernetes: DNS labels, several where its hostname has a domain. No longer than 63 in all, since the
 * kubelet makes a label's value of it (`kubernetes.io/hostname`).
 */
export const nodeName = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A Proxmox VE host's name: one DNS label, in which capitals are kept. */
export const proxmoxNode = /^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

/** A Linux user name, as useradd takes it, or with dots, as directories have them. */
export const linuxUser = /^[a-z_][a-z0-9_.-]{0,31}$/;

/** A Proxmox VE token's name: `user@realm!tokenid` (its secret stands elsewhere). */
export const proxmoxTokenId = /^[^\s@!=]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/;

/** A Proxmox VE token's secret: a UUID. */
export const proxmoxTokenSecret = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A name within a Proxmox snapshot's name: 2–19 characters, so that prefix and version fit beside it. */
export const changeId = /^[A-Za-z0-9][A-Za-z0-9_-]{1,18}$/;

/** `namespace/name`, `*` for any characters within a part, or `*` alone for every pod. */
export const podGlob = /^(\*|[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?\/[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?)$/;

/** A time of day, `00:00`–`24:00`. */
export const clockTime = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** A day, `YYYY-MM-DD`, that the calendar has. Pulumi takes one without quotes for a time and rewrites it as one. */
export const isDay = (text: string): boolean =>
  /^.{10}( 00:00:00 \+0000 UTC)?$/.test(text) && DateTime.fromISO(text.slice(0, 10)).isValid;

/** A day, or a moment that says its zone. Pulumi takes one without quotes for a time and rewrites it as one. */
export const isMoment = (text: string): boolean =>
  isDay(text) ||
  (/T.*(Z|[+-]\d\d:\d\d)$/.test(text) && DateTime.fromISO(text).isValid) ||
  DateTime.fromFormat(text, "yyyy-MM-dd HH:mm:ss '+0000 UTC'").isValid;

/** A mail address alone, without a name beside it. */
export const mailAddress = /^[^\s@<>()[\],;:"\\]+@[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/;

/** Whether a URL leads to this machine itself. */
export const isLoopback = (text: string): boolean =>
  URL.canParse(text) && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(text).hostname);

/** A webhook's secret (standardwebhooks.com): `whsec_` and 24 to 64 random bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (base64 === undefined || base64.length % 4 !== 0) return false;
  const { length } = Buffer.from(base64, "base64");
  return 24 <= length && length <= 64;
}

/** A time zone of the IANA database, as this machine's Node.js knows it. */
export const isTimeZone = (text: string): boolean => IANAZone.isValidZone(text);

const labelName = "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?";
const labelValue = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?";
const requirement = `!?${labelName}|${labelName} *(=|==|!=) *${labelValue}|${labelName} +(in|notin) *\\( *${labelValue}( *, *${labelValue})* *\\)`;

/** A label selector, as `kubectl --selector` takes it. */
export const labelSelector = new RegExp(`^(${requirement})(, *(${requirement}))*$`);

/**
 * What an operator takes on: a component's minor, or `unknown`, on a Kubernetes minor; an API that is removed; or what was
 * changed by hand on a node, a file of RKE2's config or the version.
 */
export const acknowledgement =
  /^([a-z][a-z0-9-]* (\d+\.\d+|unknown) on \d+\.\d+|([a-z0-9.-]+\/)?v\d+((alpha|beta)\d+)? [a-z]+|[a-z0-9][-a-z0-9.]* (runs v\d\S*|(config|registries|config\.yaml\.d\/\S+)\.ya?ml ([0-9a-f]{8}|gone)))$/;

/** An object as kubectl names it: `deployments.apps/name`, `clusterpolicies.nvidia.com/cluster-policy`. */
export const kubernetesObject = /^[a-z][a-z0-9]*(\.[a-z0-9][-a-z0-9.]*)?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** A JSONPath without its braces: `.status.state`, `.status.conditions[?(@.type=="Ready")].status`. */
export const jsonPath = /^\.[^\s{}']+$/;

/** A Helm chart: a name, `repository/name`, `oci://…`, or a path. */
export const chart = /^(oci:\/\/)?[\w./+-]+$/;

/** One exact version of a chart (semver; a leading v is part of some). */
export const chartVersion = /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** One release of Rancher, without the v of its tags. */
export const rancherVersion = /^\d+\.\d+\.\d+$/;

/** rancher-backup's file of a Backup that this program made: its name, the cluster's UID, the time. */
export const rancherBackupFile =
  /^rke2up-[a-z0-9-]+-\d+\.\d+\.\d+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9TZ:+-]+\.tar\.gz(\.enc)?$/;

/** A container image pinned by a tag other than `latest`, or by digest. */
export const pinnedImage = /^[a-z0-9][\w.\-/:]*(:(?!latest$)[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/;

/** A container image by its registry, its name there and its digest, as containerd names it: no tag, nothing left out. */
export const digestImage =
  /^(?=[^/]*[.:])[a-z0-9][a-z0-9.-]*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$/;

/** An IPv4 address in dotted decimals, or a DNS name in lower case (one that ends in a number is no name). */
export function isHost(text: string): boolean {
  if (isIPv4(text)) return true;
  const labels = text.split(".");
  const looksNumeric = /^\d+$/.test(labels.at(-1) ?? "");
  return text.length <= 253 && !looksNumeric && labels.every((label) => dnsLabel.test(label));
}

/** An absolute URL of one of the given schemes, without user, password, query or fragment; a file's has no host. */
export function isUrl(text: string, schemes: readonly ("http" | "https" | "file")[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const plain = !url.username && !url.password && !url.search && !url.hash;
  if (url.protocol === "file:" && (url.host || !/^file:\/{3}[^/]/.test(text))) return false;
  return plain && schemes.some((scheme) => url.protocol === `${scheme}:`);
}

/** A URL that names a host alone: no path beyond `/`. */
export function isOrigin(text: string, schemes: readonly ("http" | "https")[]): boolean {
  return isUrl(text, schemes) && new URL(text).pathname === "/" && !text.endsWith("/");
}

/** A recipient that the age library will encrypt for. Asked of that library, so what passes here works later. */
export function isAgeRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** One or more certificates in PEM form, nothing else between or around them. */
export function isCertificateBundle(text: string): boolean {
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length === 0 || text.replace(pemBlock, "").trim() !== "") return false;
  try {
    for (const block of blocks) new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

/** RKE2's ingress controllers, comma-separated in their order: `none`, or each of the two at most once. */
export const ingressControllers = /^(?:none|traefik(?:,ingress-nginx)?|ingress-nginx(?:,traefik)?)$/;
