/** What pvestatd gathers of a machine, as lists of the whole cluster show it. */
type Seen = Readonly<Record<string, unknown>>;

/** Seconds between two of pvestatd's rounds (PVE::Service::pvestatd, $updatetime). */
const ROUND_SECONDS = 10;

/**
 * pvestatd: name, status and load in the cluster's lists are what it saw in its last round, not what is (PVE::API2Tools,
 * extract_vm_stats). A machine that it has not seen yet has none of them. Here a round is made when somebody asks and the
 * last is over.
 */
export class Statd {
  private seen: ReadonlyMap<number, Seen> = new Map();
  private at = Number.NEGATIVE_INFINITY;

  /** @param look what every machine is doing now */
  constructor(private readonly look: () => Promise<ReadonlyMap<number, Seen>>) {}

  async of(vmId: number): Promise<Seen> {
    if (performance.now() - this.at >= ROUND_SECONDS * 1000) {
      this.at = performance.now();
      this.seen = await this.look();
    }
    return this.seen.get(vmId) ?? {};
  }
}
