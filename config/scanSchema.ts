/** The key `scan`: kube-bench on every node, before and after (procedure §5.1). Left out: none runs. */
import { z } from "zod";
import { SOURCES, seconds } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

/**
 * Of CIS 1.7, for Kubernetes from 1.25 on; kube-bench's newer releases have rke2-cis-1.8 as well (its cfg/). Both scans of
 * a change take the same one, since the numbers of two benchmarks cannot be compared.
 */
const BENCHMARK = "rke2-cis-1.7";

const acknowledged = z.strictObject({
  id: hinted(
    z.string().regex(/^\d{1,2}(\.\d{1,2}){1,3}$/),
    "the number of a check that fails newly, as the scan names it, in quotes",
    "4.1.5",
  ),
  reason: hinted(
    z.string().trim().min(3).max(500),
    "why that is accepted, in words",
    "mended by CR-2026-044",
  ),
});

export const scanField = hinted(
  z.strictObject({
    url: hinted(
      z.string().refine((text) => formats.isUrl(text, SOURCES)),
      "the URL of kube-bench's release archive (.tar.gz) for the nodes' architecture, or file:///… where every node has it",
      "https://github.com/aquasecurity/kube-bench/releases/download/v0.10.6/kube-bench_0.10.6_linux_amd64.tar.gz",
    ),
    sha256: hinted(
      z.string().regex(/^[0-9a-f]{64}$/),
      "the archive's SHA-256, 64 hexadecimal digits in lower case",
      undefined,
      { next: () => "it stands in the release's checksums.txt; or sha256sum the archive once you trust it" },
    ),
    benchmark: hinted(
      z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
      "the name of a folder of kube-bench's cfg/",
      BENCHMARK,
    ).default(BENCHMARK),
    timeoutSeconds: seconds().default(600),
    acknowledged: hinted(z.array(acknowledged), "a list of {id, reason}").default([]),
  }),
  "an object: url, sha256 and, where new failures are accepted, acknowledged",
).optional();
