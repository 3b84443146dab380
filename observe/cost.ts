import { subscribe } from "node:diagnostics_channel";

/** What looking costs those who are looked at. */
export interface Cost {
  readonly sshSessions: number;
  /** Requests to Kubernetes, etcd, Proxmox VE and dashboards. */
  readonly apiCalls: number;
  readonly seconds: number;
}

const spent = { sshSessions: 0, apiCalls: 0 };

/** Notes that a session was opened, or that requests were made, by whoever does so. */
export function spend(kind: keyof typeof spent, count = 1): void {
  spent[kind] += count;
}

// Proxmox VE and the dashboards are asked through undici, which announces each request by itself.
subscribe("undici:request:create", () => spend("apiCalls"));

/** Does something and says what it cost. Of two at once each counts the other's too. */
export async function measured<T>(action: () => Promise<T>): Promise<{ result: T; cost: Cost }> {
  const [before, from] = [{ ...spent }, Date.now()];
  const result = await action();
  return {
    result,
    cost: {
      sshSessions: spent.sshSessions - before.sshSessions,
      apiCalls: spent.apiCalls - before.apiCalls,
      seconds: (Date.now() - from) / 1000,
    },
  };
}

/** Several together. */
export const totalCost = (costs: readonly Cost[]): Cost => ({
  sshSessions: costs.reduce((sum, one) => sum + one.sshSessions, 0),
  apiCalls: costs.reduce((sum, one) => sum + one.apiCalls, 0),
  seconds: costs.reduce((sum, one) => sum + one.seconds, 0),
});

/** As it stands at the end of the checks: `9 SSH sessions, 23 API calls, 2.4 s`. */
export const describeCost = ({ sshSessions, apiCalls, seconds }: Cost): string =>
  `${sshSessions} SSH sessions, ${apiCalls} API calls, ${seconds.toFixed(1)} s`;
