// Lines for whoever wrote the function. The host bounds what is kept of them.
const shown = (value, depth, seen) => {
  switch (typeof value) {
    case 'string': return depth === 0 ? value : JSON.stringify(value);
    case 'bigint': return `${value}n`;
    case 'function': return `[Function: ${value.name || '(anonymous)'}]`;
    case 'symbol': case 'undefined': case 'boolean': case 'number': return String(value);
  }
  if (value === null) return 'null';
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}`.trimEnd() : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (seen.includes(value)) return '[Circular]';
  if (depth > 4) return Array.isArray(value) ? '[Array]' : '[Object]';
  const inner = [...seen, value];
  if (value instanceof Map) value = Object.fromEntries(value);
  if (value instanceof Set) value = [...value];
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const most = Array.from(value).slice(0, 100).map((one) => shown(one, depth + 1, inner));
    if (value.length > 100) most.push(`... ${value.length - 100} more`);
    return most.length ? `[ ${most.join(', ')} ]` : '[]';
  }
  const fields = Object.keys(value).slice(0, 100)
    .map((key) => `${/^[\w$]+$/.test(key) ? key : JSON.stringify(key)}: ${shown(value[key], depth + 1, inner)}`);
  return fields.length ? `{ ${fields.join(', ')} }` : '{}';
};
const line = (level) => (...values) => {
  host.log(level, values.map((value) => shown(value, 0, [])).join(' ').toWellFormed());
};
global.console = {
  log: line('log'), info: line('info'), warn: line('warn'), error: line('error'), debug: line('debug'),
};
global.console.trace = global.console.debug;
global.console.dir = global.console.log;
