import { Agent, request } from "undici";
import { type Look, look } from "./look";

/** A dashboard is asked for so long, milliseconds: it is to be looked at while things happen. */
const TIMEOUT_MS = 5_000;

/** What a dashboard's URL answered: its HTTP status, or why it did not. */
export interface Dashboard {
  readonly url: string;
  readonly status: Look<number>;
}

/** Asks every dashboard at once. Nothing secret is sent, so whoever answers need not prove who it is. */
export async function lookAtDashboards(urls: readonly string[]): Promise<Dashboard[]> {
  if (urls.length === 0) return [];
  const agent = new Agent({ connect: { rejectUnauthorized: false, timeout: TIMEOUT_MS } });
  const ask = async (url: string) => {
    const options = { dispatcher: agent, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const { statusCode, body } = await request(url, options);
    await body.dump();
    return statusCode;
  };
  try {
    return await Promise.all(urls.map(async (url) => ({ url, status: await look(() => ask(url)) })));
  } finally {
    await agent.close();
  }
}
