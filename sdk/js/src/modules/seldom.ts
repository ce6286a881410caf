/** The calls of Segment's API that few pages make: alias, plugins, middlewares of destinations, links and forms. */
import type { Call } from "../analytics.js";
import { type Args, callbackOf, objectOr, type Said } from "../arguments.js";
import { idText, isObject } from "../values.js";
import type { Analytics, CallOptions, Elements, Fields, Middleware, Of, Plugin } from "../types.js";
import { links } from "./links.js";
import { pluginHost, type PluginHost } from "./plugins.js";

type Watched = [elements: Elements, event: Of<string>, properties?: Of<Fields>, options?: CallOptions];

const hosts = new WeakMap<Analytics, PluginHost>();

/** `(to, from?, options?)`. */
function aliasSaid(args: Args, analytics: Analytics): Said {
  const user = analytics.user();
  const previousId = idText(args[1]) ?? user.id() ?? user.anonymousId();
  return { fields: { userId: idText(args[0]), previousId }, options: objectOr(args.find(isObject)), callback: callbackOf(args) };
}

/** Makes one of the calls. `behind` is where the SDK takes events through plugins. */
export default async function seldom(analytics: Analytics, call: Call, behind: Middleware[], name: string, args: unknown[]): Promise<void> {
  const host = hosts.get(analytics) ?? pluginHost(analytics, behind);
  hosts.set(analytics, host);
  switch (name) {
    case "register":
      return host.register(...(args as Plugin[]));
    case "deregister":
      return host.deregister(...(args as string[]));
    case "addDestinationMiddleware":
      return host.addDestinationMiddleware(...(args as [string, ...Middleware[]]));
    case "addIntegrationMiddleware":
      return host.addDestinationMiddleware("Segment.io", ...(args as Middleware[]));
    case "trackLink":
    case "trackClick":
      return links(analytics, "click", ...(args as Watched));
    case "trackForm":
    case "trackSubmit":
      return links(analytics, "submit", ...(args as Watched));
    // Events are held until this is done, so that they are not waited for here.
    case "alias":
      return void call("alias", (args) => aliasSaid(args, analytics))(...args);
    case "pageview":
      return void analytics.page({ path: args[0] });
    default:
      return undefined;
  }
}
