/**
 * The snippet for a page's head. It takes calls until the script is there, with the page of their moment. HOST and
 * WRITE_KEY are put in by whoever shows it.
 */
!(function (name, analytics, script) {
  analytics = window[name] = window[name] || [];
  if (analytics.invoked || analytics.initialized) return;
  analytics.invoked = true;
  "track page identify group alias screen reset ready on once off use register setAnonymousId setIdentityToken consent flush addSourceMiddleware addDestinationMiddleware addIntegrationMiddleware trackLink trackForm trackClick trackSubmit pageview debug timeout"
    .split(" ")
    .forEach(function (method) {
      analytics[method] = function () {
        var current = window[name];
        if (current.initialized) return current[method].apply(current, arguments);
        var canonical = document.querySelector("link[rel=canonical]");
        var call = [method].concat([].slice.call(arguments));
        if (/^(track|page|identify|group|alias|screen)$/.test(method))
          call.push({
            __t: "bpc",
            c: (canonical && canonical.getAttribute("href")) || undefined,
            p: location.pathname,
            u: location.href,
            s: location.search,
            t: document.title,
            r: document.referrer,
          });
        analytics.push(call);
        return analytics;
      };
    });
  analytics.load = function (key, options) {
    analytics._writeKey = key;
    analytics._loadOptions = options;
    script = document.createElement("script");
    script.async = true;
    script.src = "HOST/analytics.js/v1/" + key + "/analytics.min.js";
    document.head.appendChild(script);
  };
  analytics.load("WRITE_KEY");
  analytics.page();
})("analytics");
