// What is tried as a file's name: markup, script URLs, templates, entities and their disguises. "/" may not stand in a
// name.

const EVENTS = [
  'onerror',
  'onload',
  'onclick',
  'onfocus',
  'onmouseover',
  'ontoggle',
  'onanimationend',
  'onbegin',
  'onpointerenter',
];
const ELEMENTS = [
  'img src=x',
  'svg',
  'body',
  'input autofocus',
  'details open',
  'video src=x',
  'iframe src=javascript:alert(1)',
  'a href=javascript:alert(1)',
  'math',
];

const HAND_MADE = [
  '<script>alert(1)<\\script>',
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  '--><img src=x onerror=alert(1)>',
  ']]><img src=x onerror=alert(1)>',
  '&lt;img src=x onerror=alert(1)&gt;',
  '&#60;img src=x onerror=alert(1)&#62;',
  '{{alert(1)}}',
  '${alert(1)}',
  '{@html alert(1)}',
  '<%= alert(1) %>',
  'javascript:alert(1)',
  'data:text html,<script>alert(1)',
  '%3Cimg%20src=x%20onerror=alert(1)%3E',
  '\u003cimg src=x onerror=alert(1)\u003e',
  '＜img src=x onerror=alert(1)＞',
  '<img src=x oNeRrOr=alert(1)>',
  '<img\u00a0src=x\u00a0onerror=alert(1)>',
  '\u202e<gmi crs=x rorreno=)1(trela>',
  '<object data=javascript:alert(1)>',
  '<embed src=javascript:alert(1)>',
  '<link rel=stylesheet href=x>',
  '<style>@import"x"<\\style>',
  '<meta http-equiv=refresh content=0>',
  '<base href=x>',
  '<form action=javascript:alert(1)><button>',
  '__proto__',
];

/** A hundred and eight names, each of at most 255 bytes. */
export const MARKUP_PAYLOADS: readonly string[] = [
  ...EVENTS.flatMap((event) => ELEMENTS.map((element) => `<${element} ${event}=alert(1)>`)),
  ...HAND_MADE,
];
