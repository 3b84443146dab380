/** Pulumi's history of a stack: every update that ended, not only the newest page. */
import { pulumiJson } from "./pulumi";
import { type HistoryEntry, historySchema } from "./state";

/** Of one page. The CLI's own default is 10; a size of 0 is all of them to file backends, and to others nothing that is said anywhere. */
const PAGE = 100;

/**
 * All of it, the newest first. Read until a page brings nothing new: an update that ends meanwhile moves the pages, and how
 * many a backend gives at most is its own.
 */
export async function historyOf(stack: string): Promise<HistoryEntry[]> {
  const entries = new Map<string, HistoryEntry>();
  for (let page = 1; ; page++) {
    const paged = ["--page-size", String(PAGE), "--page", String(page)];
    const before = entries.size;
    const found = await pulumiJson(["stack", "history", "--json", ...paged, "--stack", stack]);
    for (const entry of historySchema.parse(found ?? [])) entries.set(entry.startTime, entry);
    if (entries.size === before) return [...entries.values()];
  }
}
