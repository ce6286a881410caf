// What strangers put into events, to see it run. The marks call `pwned`, which the tests watch.
const LONG = "W".repeat(400);

export const HOSTILE = [
  `<img src=x onerror="pwned()"><script>pwned()</script>`,
  `"><svg/onload=pwned()><!--`,
  `javascript:pwned()//https://evil.example/`,
  `{{constructor.constructor('pwned()')()}}\${pwned()}{@html '<b>x</b>'}`,
  `<a href="javascript:pwned()">click</a><iframe srcdoc="<script>parent.pwned()</script>">`,
  `https://evil.example/track.gif?<style>@import 'https://evil.example/x.css'</style>`,
  `\u202Etxt.exe\u202C \u0007 \u200B hidden`,
  `__proto__`,
  `constructor`,
  `<math><mtext></table><mglyph><style><img src=x onerror=pwned()>`,
  LONG,
  `${"a ".repeat(120)}${LONG}`,
  `\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}${"\u0301".repeat(60)}`,
];
