/** What the watch of each run in a change's folder saw. */
import { listRuns } from "../runFiles";
import { type Availability, availability } from "./availability";
import { readSeries } from "./series";

/** A run that was not watched, by plain `pulumi up` or before its kubeconfig was there, has none. */
export async function readAvailability(directory: string): Promise<Availability[]> {
  const found: Availability[] = [];
  for (const { number, watch } of await listRuns(directory)) {
    const series = await readSeries(watch);
    if (series.length > 0) found.push(availability(number, series));
  }
  return found;
}
