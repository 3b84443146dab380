import type { ClusterNode } from "../../config";
import { type Finding, should } from "../finding";
import type { NodeFacts } from "../node";

/** gpu-operator has written containerd templates with which RKE2's containerd does not start (NVIDIA/gpu-operator#992). */
export const judgeContainerd = (node: ClusterNode, { containerdTemplates }: NodeFacts): Finding[] =>
  node.gpu || containerdTemplates.length > 0
    ? [
        {
          check: `${node.name}: containerd's template`,
          found: containerdTemplates.join(", ") || "RKE2's own, or built on it",
          wanted: 'none, or one with {{ template "base" . }}',
          ...should(
            containerdTemplates.length === 0,
            `read ${containerdTemplates[0]} on ${node.name} before its turn: containerd may not start with it (NVIDIA/gpu-operator#992)`,
          ),
        },
      ]
    : [];
