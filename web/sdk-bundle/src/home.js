/**
 * Finds the server this script came from, so that settings, chunks, events and
 * the SDK's own error counters all go there and nowhere else.
 *
 * Plain ES5: it runs before the SDK, in whatever browser the SDK supports.
 * `done` puts back what the SDK overwrites on a global that is not its own:
 * beside another copy of the SDK ours is installed under another global name.
 */
function selfsameHome(window) {
  var document = window.document;
  var named = document.querySelector("script[data-global-segment-analytics-key]");
  var name = (named && named.getAttribute("data-global-segment-analytics-key")) || "analytics";
  var own = window[name];
  var cdn = own && typeof own._cdn === "string" && own._cdn ? own._cdn : baseOf(scriptUrl());
  var foreign = name === "analytics" ? undefined : window.analytics;
  var foreignCdn = foreign && foreign._cdn;

  function scriptUrl() {
    if (document.currentScript && document.currentScript.src) return document.currentScript.src;
    var scripts = document.querySelectorAll('script[src*="/analytics.js/v1/"]');
    return scripts.length ? scripts[scripts.length - 1].src : window.location.href;
  }

  function baseOf(url) {
    var whole = /^(https?:\/\/[^/?#]+)([^?#]*)/.exec(url);
    if (!whole) return window.location.origin;
    var prefix = /^(.*)\/analytics\.js\/v1\//.exec(whole[2]);
    return whole[1] + (prefix ? prefix[1] : "");
  }

  return {
    cdn: cdn,
    api: cdn.replace(/^https?:\/\//, "") + "/v1",
    protocol: /^http:/.test(cdn) ? "http" : "https",
    done: function () {
      if (foreign) foreign._cdn = foreignCdn;
    },
  };
}
