// The moment, for "3 minutes ago": moves every ten seconds.
let now = $state(Date.now());
setInterval(() => {
  if (!document.hidden) now = Date.now();
}, 10_000);

export const clock = {
  get now(): number {
    return now;
  },
};
