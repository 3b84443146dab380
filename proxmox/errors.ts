/** What Proxmox VE answered instead of data, or why it did not answer. The message ends in what to do next. */
export class ProxmoxError extends Error {
  constructor(
    /** HTTP status; 0: not reached, 200: an answer that is none of the API's or a task that failed. */
    readonly status: number,
    /** What happened, in Proxmox VE's own words where it said any. */
    readonly said: string,
    readonly next?: string,
  ) {
    super(next ? `${said}. next: ${next}` : said);
    this.name = "ProxmoxError";
  }
}

/** What to do about a refusal of the API, by its status. */
export function adviceFor(status: number): string | undefined {
  switch (status) {
    case 401:
      return "check proxmox.tokenId and proxmoxTokenSecret, and that neither token nor user has expired";
    case 403:
      return "grant the privilege to the user and to the token (docs/proxmox.md)";
    case 595:
    case 596:
      return "the host does not answer the others: pvecm status there";
    default:
      return undefined;
  }
}

/** Why the API was not reached, for people. */
export function unreachable(endpoint: string, error: Error & { code?: string }): ProxmoxError {
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/.test(error.code ?? "");
  const next = untrusted
    ? "set proxmox.caCertificate to the text of /etc/pve/pve-root-ca.pem; the endpoint's name must stand in the host's certificate"
    : "check proxmox.endpoint, or name another host of the cluster there: any of them answers for all";
  return new ProxmoxError(0, `${endpoint} cannot be reached (${error.code ?? error.message})`, next);
}
