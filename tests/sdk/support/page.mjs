import http from "node:http";

/**
 * The page of a customer on an origin of its own, with the loader that customers paste:
 * a queue with the SDK's methods, until the script is there.
 */
const METHODS = [
  "trackSubmit", "trackClick", "trackLink", "trackForm", "pageview", "identify", "reset", "group", "track", "ready",
  "alias", "debug", "page", "screen", "once", "off", "on", "addSourceMiddleware", "addIntegrationMiddleware",
  "setAnonymousId", "addDestinationMiddleware", "register",
];

function loader(scriptUrl, writeKey, options, name) {
  return `
(function () {
  var key = ${JSON.stringify(name)};
  var queue = (window[key] = window[key] || []);
  if (queue.initialize || queue.invoked) return;
  queue.invoked = true;
  queue.methods = ${JSON.stringify(METHODS)};
  queue.factory = function (method) {
    return function () {
      if (window[key].initialized) return window[key][method].apply(window[key], arguments);
      var args = Array.prototype.slice.call(arguments);
      if (["track", "screen", "alias", "group", "page", "identify"].indexOf(method) > -1) {
        var canonical = document.querySelector("link[rel='canonical']");
        args.push({
          __t: "bpc",
          c: (canonical && canonical.getAttribute("href")) || undefined,
          p: location.pathname, u: location.href, s: location.search, t: document.title, r: document.referrer,
        });
      }
      args.unshift(method);
      queue.push(args);
      return queue;
    };
  };
  queue.methods.forEach(function (method) { queue[method] = queue.factory(method); });
  queue.load = function (writeKey, options) {
    var script = document.createElement("script");
    script.type = "text/javascript";
    script.async = true;
    script.setAttribute("data-global-segment-analytics-key", key);
    script.src = ${JSON.stringify(scriptUrl)};
    var first = document.getElementsByTagName("script")[0];
    first.parentNode.insertBefore(script, first);
    queue._loadOptions = options;
  };
  queue._writeKey = ${JSON.stringify(writeKey)};
  queue.SNIPPET_VERSION = "5.2.1";
  queue.load(${JSON.stringify(writeKey)}, ${JSON.stringify(options)});
  queue.page();
})();`;
}

/** A page with the SDK; `name` is its global, `before` a script that was on the page already. */
function page({ scriptUrl, writeKey, options = {}, name = "analytics", before = "" }) {
  return `<!doctype html><meta charset="utf-8"><title>A customer's page</title><link rel="icon" href="data:,">
<script>${before}</script><script>${loader(scriptUrl, writeKey, options, name)}</script><h1>A customer's page</h1>`;
}

/**
 * Serves the page on a free port of the loopback, and others of the same site by their paths in `also`; `close` ends it.
 */
export async function customerPage({ also = {}, ...settings }) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://page.example");
    response.writeHead(200, { "content-type": "text/html" });
    response.end(page(also[pathname] ?? settings));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
