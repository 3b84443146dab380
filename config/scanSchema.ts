/** The key `scan`: kube-bench on every node, before and after (procedure §5.1). Left out: none runs. */
import { z } from "zod";
import { SOURCES, seconds } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

/**
 * In every kube-bench of these years; what newer Kubernetes should take is told (benchmarks.ts). All scans of a change take
 * the same one, since the numbers of two benchmarks cannot be compared.
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

const fields = z.strictObject({
  url: hinted(
    z.string().refine((text) => formats.isUrl(text, SOURCES)),
    "the URL of kube-bench's release archive (.tar.gz) for the nodes' architecture, or file:///… where every node has it",
    "https://github.com/aquasecurity/kube-bench/releases/download/v0.10.6/kube-bench_0.10.6_linux_amd64.tar.gz",
  ).optional(),
  sha256: hinted(
    z.string().regex(/^[0-9a-f]{64}$/),
    "the archive's SHA-256, 64 hexadecimal digits in lower case",
    undefined,
    { next: () => "it stands in the release's checksums.txt; or sha256sum the archive once you trust it" },
  ).optional(),
  image: hinted(
    z.string().regex(formats.digestImage),
    "in place of url and sha256: kube-bench's image with its registry and its digest, and no tag: HOST/NAME@sha256:…",
    undefined,
    {
      why: "containerd knows it by that whole name alone, and by its digest nothing else is run",
      next: () =>
        "docker buildx imagetools inspect docker.io/aquasec/kube-bench:v0.10.6 tells the digest of all its architectures",
    },
  ).optional(),
  benchmark: hinted(
    z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
    "the name of a folder of kube-bench's cfg/",
    BENCHMARK,
  ).default(BENCHMARK),
  timeoutSeconds: seconds().default(600),
  acknowledged: hinted(z.array(acknowledged), "a list of {id, reason}").default([]),
});

type Fields = Partial<z.output<typeof fields>>;

/** Told along with every other mistake in it, which Zod would not do by itself. */
const needs = (key: "url" | "sha256") => ({
  path: [key],
  message: "kube-bench comes from an archive, with url and sha256, or from an image",
  when: ({ value }: { value: unknown }) => typeof value === "object" && value !== null,
});

export const scanField = hinted(
  fields
    .refine(({ image, url }: Fields) => Boolean(image ?? url), needs("url"))
    .refine(({ image, sha256 }: Fields) => Boolean(image ?? sha256), needs("sha256")),
  "an object: url and sha256, or image, and, where new failures are accepted, acknowledged",
).optional();

/** Where kube-bench comes from, an archive's URL or an image's name, and the SHA-256 that it is known by. */
export const scannerOf = ({ url = "", sha256 = "", image }: Fields) =>
  image === undefined
    ? { source: url, sha256 }
    : { source: image, sha256: image.slice(image.indexOf("@sha256:") + "@sha256:".length) };
