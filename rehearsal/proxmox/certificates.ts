import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The server's key and certificate, PEM, and the file of the authority that vouches for it. */
export interface Certificates {
  readonly key: string;
  readonly certificate: string;
  readonly caFile: string;
}

const DAYS = "3650";
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];

/**
 * Makes an authority of the cluster's own, as every Proxmox VE cluster has one, and a certificate for the API under
 * it, once, in a folder; its certificate is `pve-root-ca.pem` there.
 * @param addresses IP addresses at which the API is reached
 * @param names host names of it
 */
export function certificates(
  directory: string,
  addresses: readonly string[],
  names: readonly string[],
): Certificates {
  const files = {
    ca: join(directory, "pve-root-ca.pem"),
    caKey: join(directory, "pve-root-ca.key"),
    certificate: join(directory, "pve-ssl.pem"),
    key: join(directory, "pve-ssl.key"),
  };
  mkdirSync(directory, { recursive: true });
  if (!existsSync(files.ca)) makeAuthority(files.ca, files.caKey);
  if (!existsSync(files.certificate)) {
    const san = [...addresses.map((ip) => `IP:${ip}`), ...names.map((name) => `DNS:${name}`)].join(",");
    make(files.certificate, files.key, [
      ...["-CA", files.ca, "-CAkey", files.caKey, "-subj", `/OU=PVE Cluster Node/CN=${names[0] ?? "node"}`],
      ...["-addext", `subjectAltName=${san}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "extendedKeyUsage=serverAuth"],
    ]);
  }
  return {
    key: readFileSync(files.key, "utf8"),
    certificate: readFileSync(files.certificate, "utf8"),
    caFile: files.ca,
  };
}

function makeAuthority(certificate: string, key: string): void {
  make(certificate, key, [
    ...["-subj", "/CN=Proxmox Virtual Environment/O=PVE Cluster Manager CA"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
}

/** The certificate comes last and at once, so that its presence says that both are whole. */
function make(certificate: string, key: string, args: readonly string[]): void {
  const unfinished = `${certificate}.new`;
  rmSync(unfinished, { force: true });
  execFileSync(
    "openssl",
    ["req", "-x509", ...newKey, "-keyout", key, "-out", unfinished, "-days", DAYS, ...args],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  renameSync(unfinished, certificate);
}
