// Mutations of one source text.  Each keeps what the program does; each is a pure function of the text.
import { parse } from 'acorn';
import obfuscator from 'javascript-obfuscator';
import { minify } from 'terser';

export function parseSource(text, module, onToken) {
  const options = { ecmaVersion: 'latest', allowHashBang: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: module, onToken };
  return parse(text, { ...options, sourceType: module ? 'module' : 'script' });
}

export function walk(node, visit, parent = null, key = null) {
  if (visit(node, parent, key) === false) return;
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string' && typeof child.start === 'number') walk(child, visit, node, name);
    }
  }
}

// Replaces pieces of the text: [start, end, replacement], none inside another.
function splice(text, edits) {
  let out = '';
  let at = 0;
  for (const [start, end, with_] of edits.sort((a, b) => a[0] - b[0])) {
    out += text.slice(at, start) + with_;
    at = end;
  }
  return out + text.slice(at);
}

const inPieces = (s) => {
  const pieces = s.length > 8 ? 3 : 2;
  const size = Math.ceil(s.length / pieces);
  return Array.from({ length: pieces }, (_, i) => JSON.stringify(s.slice(i * size, (i + 1) * size))).join(' + ');
};

// 'child_process' → ("child" + "_proc" + "ess"), keys of objects and template literals included.
export function splitLiterals(text, { module }) {
  const edits = [];
  walk(parseSource(text, module), (node, parent, key) => {
    if (/^(Import|Export\w*)Declaration$/.test(parent?.type) && key === 'source') return;
    if (node.type === 'TaggedTemplateExpression') return false;
    if (node.type === 'TemplateElement' && node.value.raw.length >= 4 && !node.value.raw.includes('\\')) {
      const middle = node.start + (node.value.raw.length >> 1);
      edits.push([middle, middle, '${""}']);
    }
    if (node.type !== 'Literal' || typeof node.value !== 'string' || node.value.length < 4 || parent.directive) return;
    const isKey = key === 'key' && !parent.computed;
    edits.push([node.start, node.end, isKey ? `[${inPieces(node.value)}]` : `(${inPieces(node.value)})`]);
  });
  return splice(text, edits);
}

// a.b → a["b"], a?.b → a?.["b"].
export function bracketAccess(text, { module }) {
  const dots = [];
  const edits = [];
  const tree = parseSource(text, module, (token) => {
    if (token.type.label === '.' || token.type.label === '?.') dots.push(token);
  });
  walk(tree, (node) => {
    if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return;
    const dot = dots.findLast((token) => token.end <= node.property.start);
    edits.push([dot.start, dot.end, dot.type.label === '.' ? '[' : '?.[']);
    edits.push([node.property.start, node.property.end, `${JSON.stringify(node.property.name)}]`]);
  });
  return splice(text, edits);
}

async function terser(text, options, module) {
  return (await minify(text, { module, toplevel: true, ...options })).code;
}

export const rename = (text, { module }) => terser(text, { compress: false, mangle: true, format: { beautify: true, comments: 'all' } }, module);
export const minified = (text, { module }) => terser(text, { compress: true, mangle: true }, module);

export const obfuscated = (level) => (text) => obfuscator.obfuscate(text, {
  optionsPreset: `${level}-obfuscation`, target: 'node', seed: 20250131,
}).getObfuscatedCode();

// Modules cannot be evaluated: their imports would be lost.
export function evaluated(text, { module }) {
  if (module) return null;
  return `eval(Buffer.from("${Buffer.from(text).toString('base64')}", "base64").toString());\n`;
}

// 64 KB of what no program runs, before and behind: half of it comments, half functions that nobody calls.
export function padded(text) {
  let padding = '';
  for (let i = 0; padding.length < 32 << 10; i++) {
    padding += `// Part ${i} of the tables below is kept for older versions of the format.\nfunction part${i}(a, b) { return a * ${i} + b; }\n`;
  }
  return `${padding}${text}\n${padding.replaceAll('function part', 'function rest')}`;
}
