/** The key `gpuTest`: a job that really uses a GPU, on each GPU agent at the end of its turn (procedure §3.3.4). Left out: none runs. */
import { z } from "zod";
import { seconds } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

export const gpuTestField = hinted(
  z.strictObject({
    image: hinted(
      z.string().regex(formats.pinnedImage),
      "an image whose program uses a GPU and ends, pinned by a tag other than latest or by digest",
      "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0-ubuntu22.04",
    ),
    command: hinted(
      z.array(
        hinted(z.string(), "a word, in quotes where it looks like a number or true or false", '"60"', {
          why: "Kubernetes takes words alone",
        }),
      ),
      "a list of words, the program and its arguments; left out, the image's own",
      '["nvidia-smi"]',
    ).default([]),
    namespace: hinted(
      z.string().regex(formats.dnsLabel),
      "a namespace that is there and lets such a pod in",
      "gpu-operator",
    ).default("default"),
    runtimeClassName: hinted(
      z.string().regex(formats.dnsLabel),
      "the name of a RuntimeClass; left out, the runtime's default",
      "nvidia",
    ).optional(),
    timeoutSeconds: seconds().default(600),
  }),
  "an object: image and, where they differ from the defaults, command, namespace, runtimeClassName, timeoutSeconds",
).optional();
