import type * as pulumi from "@pulumi/pulumi";

/**
 * A dynamic provider that always runs the code of this checkout.
 *
 * Pulumi stores a dynamic provider's code in the state and runs what is stored for reads and deletes: fixes would
 * never reach resources that exist, and captured values would be kept in clear. So what is stored is only this
 * shim, which loads `module` (relative to the project's root) when it is called. The module exports `provider`.
 */
export function currentCode(module: string): pulumi.dynamic.ResourceProvider {
  const load = (): pulumi.dynamic.ResourceProvider => {
    // The provider's process is plain Node in the project's folder: TypeScript is registered by hand there.
    if (!require.extensions[".ts"]) require("ts-node").register({ transpileOnly: true });
    return require(`${process.cwd()}/${module}`).provider;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own types for properties of a dynamic resource
  type Any = any;
  return {
    configure: async (request: Any) => {
      await load().configure?.(request);
    },
    check: async (olds: Any, news: Any) => (await load().check?.(olds, news)) ?? { inputs: news },
    diff: async (id: Any, olds: Any, news: Any) => (await load().diff?.(id, olds, news)) ?? {},
    create: async (inputs: Any) => load().create(inputs),
    read: async (id: Any, props: Any) => (await load().read?.(id, props)) ?? { id, props },
    update: async (id: Any, olds: Any, news: Any) =>
      (await load().update?.(id, olds, news)) ?? { outs: news },
    delete: async (id: Any, props: Any) => {
      await load().delete?.(id, props);
    },
  };
}
