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
  private seen: Promise<ReadonlyMap<number, Seen>> = Promise.resolve(new Map());
  private at = Number.NEGATIVE_INFINITY;

  /**
   * @param look what every machine is doing now
   * @param seconds on the clock that rounds go by
   */
  constructor(
    private readonly look: () => Promise<ReadonlyMap<number, Seen>>,
    private readonly seconds = () => performance.now() / 1000,
  ) {}

  async of(vmId: number): Promise<Seen> {
    if (this.seconds() - this.at >= ROUND_SECONDS) {
      this.at = this.seconds();
      this.seen = this.look();
    }
    return (await this.seen).get(vmId) ?? {};
  }
}
