import { requireAny } from "../access";
import type { Call } from "../method";

/**
 * Whether the caller may connect a card to its bridge: plain bridges belong to the zone localnetwork, a VLAN's tag is a
 * path of its own below them.
 * @param card `virtio=MAC,bridge=vmbr0,tag=20`
 * @throws PveError 403
 */
export function mayUseBridge({ cluster, who }: Call, card: string): void {
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(card)?.[1];
  const bridge = option("bridge");
  if (!bridge) return;
  const path = ["/sdn/zones/localnetwork", bridge, option("tag")].filter(Boolean).join("/");
  requireAny(cluster, who, path, ["SDN.Use"]);
}
