/** helm's own history of a release, read off its secrets. */
import { kubectl } from "./operator";

/** helm's revisions of a release that has its namespace's name, oldest first. */
export async function revisions(name: string): Promise<{ revision: number; status: string; at: number }[]> {
  const { items } = await kubectl<{
    items: { metadata: { labels: Record<string, string>; creationTimestamp: string } }[];
  }>("-n", name, "get", "secrets", "-l", `owner=helm,name=${name}`);
  return items
    .map(({ metadata: { labels, creationTimestamp } }) => ({
      revision: Number(labels.version),
      status: labels.status ?? "",
      at: Date.parse(creationTimestamp),
    }))
    .sort((a, b) => a.revision - b.revision);
}
