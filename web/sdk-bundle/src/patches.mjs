/**
 * The literals of the published standalone build that name somebody else's host.
 * Each must occur exactly `count` times, else the build stops: a new SDK version
 * has to be read before it is served. `selfsame` is what `home.js` returns.
 */
export const patches = [
  {
    why: "the one place where the build decides its CDN and its chunk path",
    find: /var (\w+)=\(0,\w+\.\w+\)\(\);(?=\(0,\w+\.\w+\)\(\1\),\w+\.p=\1\?)/g,
    replace: "var $1=selfsame.cdn;",
    count: 1,
  },
  {
    why: "chunks when no CDN is known",
    find: /"https:\/\/cdn\.segment\.com\/analytics-next\/bundles\/"/g,
    replace: '(selfsame.cdn+"/analytics-next/bundles/")',
    count: 1,
  },
  {
    why: "the classic SDK, loaded after a content security policy violation",
    find: /"https:\/\/cdn\.segment\.com\/analytics\.js\/v1\/"/g,
    replace: '(selfsame.cdn+"/analytics.js/v1/")',
    count: 1,
  },
  {
    why: "the CDN when no script tag matches",
    find: /"https:\/\/cdn\.segment\.com"/g,
    replace: "selfsame.cdn",
    count: 1,
  },
  {
    why: "events and error counters when settings name no host",
    find: /"api\.segment\.io\/v1"/g,
    replace: "selfsame.api",
    count: 1,
  },
  {
    why: "events, batches and error counters when settings name no protocol",
    find: /(?<=[?(=:])"https"/g,
    replace: "selfsame.protocol",
    count: 3,
  },
  {
    why: "polyfills for browsers of before 2017, from a third party",
    find: /"https:\/\/cdnjs\.cloudflare\.com\/[^"]*"/g,
    replace: '"data:text/javascript,"',
    count: 1,
  },
];

/** Applies every patch to `source`; throws when one does not fit. */
export function patch(source) {
  return patches.reduce((text, { why, find, replace, count }) => {
    const found = text.match(find)?.length ?? 0;
    if (found !== count) {
      throw new Error(`the SDK build changed: ${found} instead of ${count} places for "${why}" (${find})`);
    }
    return text.replace(find, replace);
  }, source);
}
