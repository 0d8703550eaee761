// compare.mjs - our parser against acorn (with JSX), file by file: accepted or refused, and for accepted files every node's
// kind and place; or with --tokens, the lexer without a parser against acorn's tokens.
// Files with types are compared with @babel/parser (typed.mjs).
// Usage: node compare.mjs PATH-TO-js-dump [--tokens] [--at-least=N] DIRECTORY-OR-LIST-OF-FILES...; prints TAP, a line per
// difference; fewer than N files that were the same fail.
// The parsers come from tests/package.json; without them the test is skipped.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { loadBabel, parseTyped } from "./typed.mjs";

const require = createRequire(import.meta.url);
let acorn, withJsx;
try {
  acorn = require("acorn");
  withJsx = acorn.Parser.extend(require("acorn-jsx")());
} catch {
  console.log("1..0 # SKIP acorn is not installed");
  process.exit(0);
}
const typed = loadBabel(require);

const tokens = process.argv.includes("--tokens");
const atLeast = +(process.argv.find((a) => a.startsWith("--at-least="))?.slice(11) ?? 0);
const [dump, ...inputs] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const files = inputs.filter((p) => existsSync(p)).flatMap((p) =>
  statSync(p).isDirectory()
    ? readdirSync(p, { recursive: true }).filter((f) => /\.[cm]?js$/.test(f)).map((f) => `${p}/${f}`)
        .filter((f) => statSync(f).isFile()).sort()
    : readFileSync(p, "utf8").split("\n").filter(Boolean));

// Several of acorn's kinds are one of ours; "" is not compared.
const kind = {
  FunctionDeclaration: "FUNCTION", FunctionExpression: "FUNCTION", ArrowFunctionExpression: "FUNCTION",
  ClassDeclaration: "CLASS", ClassExpression: "CLASS", ClassBody: "CLASS_BODY", MethodDefinition: "METHOD",
  PropertyDefinition: "FIELD", AccessorProperty: "FIELD", StaticBlock: "STATIC_BLOCK", Program: "PROGRAM", ExpressionStatement: "EXPR_STMT",
  BlockStatement: "BLOCK", VariableDeclaration: "VAR", VariableDeclarator: "DECLARATOR", IfStatement: "IF",
  ForStatement: "FOR", ForInStatement: "FOR_IN", ForOfStatement: "FOR_OF", WhileStatement: "WHILE",
  DoWhileStatement: "DO_WHILE", ReturnStatement: "RETURN", ThrowStatement: "THROW", TryStatement: "TRY",
  CatchClause: "CATCH", SwitchStatement: "SWITCH", SwitchCase: "CASE", BreakStatement: "BREAK",
  ContinueStatement: "CONTINUE", LabeledStatement: "LABELED", WithStatement: "WITH", DebuggerStatement: "DEBUGGER",
  ImportDeclaration: "IMPORT", ImportSpecifier: "IMPORT_SPEC", ImportDefaultSpecifier: "IMPORT_SPEC",
  ImportNamespaceSpecifier: "IMPORT_SPEC", ExportNamedDeclaration: "EXPORT_NAMED", ExportSpecifier: "EXPORT_SPEC",
  ExportDefaultDeclaration: "EXPORT_DEFAULT", ExportAllDeclaration: "EXPORT_ALL", Identifier: "IDENT",
  PrivateIdentifier: "PRIVATE_NAME", ThisExpression: "THIS", Super: "SUPER", TemplateLiteral: "TEMPLATE",
  TemplateElement: "TEMPLATE_PART", TaggedTemplateExpression: "TAGGED", ArrayExpression: "ARRAY",
  ArrayPattern: "ARRAY", ObjectExpression: "OBJECT", ObjectPattern: "OBJECT", Property: "PROPERTY",
  SpreadElement: "SPREAD", RestElement: "SPREAD", AssignmentPattern: "DEFAULT", UnaryExpression: "UNARY",
  UpdateExpression: "UPDATE", BinaryExpression: "BINARY", LogicalExpression: "BINARY", AssignmentExpression: "ASSIGN",
  ConditionalExpression: "COND", CallExpression: "CALL", NewExpression: "NEW", SequenceExpression: "SEQUENCE",
  YieldExpression: "YIELD", AwaitExpression: "AWAIT", ImportExpression: "IMPORT_CALL", MetaProperty: "META",
  JSXElement: "JSX_ELEMENT", JSXFragment: "JSX_ELEMENT", JSXAttribute: "JSX_ATTR", JSXText: "JSX_TEXT",
};
const ours = new Set(Object.values(kind).concat(["MEMBER", "INDEX", "STRING", "NUMBER", "BIGINT", "REGEX", "TRUE", "FALSE", "NULL"]));

function literal(n) {
  if (n.regex) return "REGEX";
  if (n.bigint) return "BIGINT";
  if (n.value === null) return "NULL";
  if (typeof n.value === "boolean") return n.value ? "TRUE" : "FALSE";
  return typeof n.value === "number" ? "NUMBER" : "STRING";
}

// Children that are fields of the node with us, or not in the tree.
const skip = {
  MemberExpression: (n, k) => k === "property" && !n.computed, LabeledStatement: (n, k) => k === "label",
  BreakStatement: () => true, ContinueStatement: () => true, MetaProperty: () => true,
  ImportSpecifier: (n, k) => k === "imported", ExportSpecifier: (n, k) => k === "exported",
  ExportAllDeclaration: (n, k) => k === "exported" || k === "attributes", ImportDeclaration: (n, k) => k === "attributes",
  ExportNamedDeclaration: (n, k) => k === "attributes", JSXAttribute: (n, k) => k === "name",
  JSXOpeningElement: (n, k) => k === "name", JSXClosingElement: () => true, JSXOpeningFragment: () => true,
  JSXClosingFragment: () => true,
};

// {...a}: with us the node is without the braces.
function spread(n, text) {
  n.start = text.indexOf("...", n.start);
  while (/\s/.test(text[n.end - 2])) n.end--;
  n.end--;
  return "SPREAD";
}

// with { type: "json" }: an object with us.
function attributes(list, text, out) {
  out.push(`OBJECT ${text.lastIndexOf("{", list[0].start)} ${text.indexOf("}", list.at(-1).end) + 1}`);
  for (const a of list) {
    out.push(`PROPERTY ${a.start} ${a.end}`);
    for (const n of [a.key, a.value]) out.push(`${n.type === "Literal" ? "STRING" : "IDENT"} ${n.start} ${n.end}`);
  }
}

function walk(root, text, out) {
  const todo = [root];
  while (todo.length) {
    const n = todo.pop();
    let k = kind[n.type];
    if (n.type === "Literal") k = literal(n);
    else if (n.type === "MemberExpression") k = n.computed ? "INDEX" : "MEMBER";
    if (n.type === "JSXSpreadAttribute") k = spread(n, text);
    if (n.attributes?.length && n.type !== "JSXOpeningElement") attributes(n.attributes, text, out);
    if (k) out.push(k + " " + n.start + " " + n.end);
    for (const key in n) {
      if (key === "type" || key === "value" && n.type === "Literal" || key === "regex" || skip[n.type]?.(n, key)) continue;
      const v = n[key];
      if (Array.isArray(v)) { for (const c of v) if (c && c.type) todo.push(c); }
      else if (v && v.type) todo.push(v);
    }
  }
}

// acorn's tokens as they were read; the text of templates is told apart in another way with us.
function onToken(list) {
  return (t) => {
    if (t.type.label !== "`" && t.type.label !== "template" && t.type.label !== "${" && t.type.label !== "eof")
      list.push(`${t.type.label === "regexp" ? "regex" : "token"} ${t.start} ${t.end}`);
  };
}

function parse(path, text, out) {
  if (!typed && /\.[cm]?tsx?$/.test(path)) throw new Error("@babel/parser is not installed");
  if (/\.[cm]?tsx?$/.test(path)) return walk(parseTyped(typed, path, text), text, out);
  try {
    return parsePlain(text, out);
  } catch (e) {
    if (!typed || tokens) throw e;
    out.length = 0;
    return walk(parseTyped(typed, path, text), text, out);
  }
}

function parsePlain(text, out) {
  const common = { ecmaVersion: "latest", allowReturnOutsideFunction: true, allowHashBang: true, allowSuperOutsideMethod: true };
  let first;
  for (const parser of tokens ? [acorn.Parser] : [acorn.Parser, withJsx])
    for (const sourceType of ["script", "module"])
      try {
        out.length = 0;
        const t = parser.parse(text, { ...common, sourceType, onToken: tokens ? onToken(out) : undefined });
        if (!tokens) walk(t, text, out);
        return;
      } catch (e) {
        first ??= e;
      }
  throw first;
}

// Byte offset of each UTF-16 position, for files that are not ASCII only.
function offsets(text) {
  const map = new Uint32Array(text.length + 1);
  let b = 0;
  for (let i = 0; i < text.length; i++) {
    map[i] = b;
    const c = text.charCodeAt(i);
    b += c < 0x80 ? 1 : c < 0x800 ? 2 : c >= 0xd800 && c < 0xe000 ? 2 : 3;
  }
  map[text.length] = b;
  return map;
}

let same = 0, different = 0, refusedByBoth = 0, acceptedByUsOnly = 0;
function oursOnly(path, err) {
  acceptedByUsOnly++;
  console.log(`# only we accept ${path}: ${err.message}`);
}

function report(path, what) {
  different++;
  console.log(`not ok - ${path}: ${what}`);
}

function check(path, error, nodes) {
  const buf = readFileSync(path);
  const text = buf.toString("utf8");
  let theirs = [], err;
  try { parse(path, text, theirs); } catch (e) { err = e; }
  if (tokens && err) return;
  if (err || error.n !== 0) {
    if (err && error.n !== 0) refusedByBoth++;
    else if (err) oursOnly(path, err); // newer Flow than the reference knows, or no reference for types
    else report(path, `we refuse: ${error.n} at ${error.at} ${error.msg}`);
    return;
  }
  if (text.length !== buf.length) {
    const map = offsets(text);
    theirs = theirs.map((l) => { const [k, s, e] = l.split(" "); return `${k} ${map[s]} ${map[e]}`; });
  }
  const mine = tokens ? nodes : nodes.filter((l) => ours.has(l.slice(0, l.indexOf(" "))));
  theirs.sort();
  mine.sort();
  if (theirs.length === mine.length && theirs.every((l, i) => l === mine[i])) { same++; return; }
  const a = new Map(), only = [];
  for (const l of theirs) a.set(l, (a.get(l) ?? 0) + 1);
  for (const l of mine) a.set(l, (a.get(l) ?? 0) - 1);
  for (const [l, n] of a) if (n) only.push((n > 0 ? "theirs " : "ours ") + l);
  report(path, `${only.length} nodes differ: ${only.slice(0, 4).join(", ")}`);
}

const child = spawn(dump, tokens ? ["-t"] : [], { stdio: ["pipe", "pipe", "inherit"] });
child.stdin.write(files.join("\n") + "\n");
child.stdin.end();
let path, error, nodes = [];
for await (const line of createInterface({ input: child.stdout })) {
  if (line.startsWith("F ")) {
    if (path) check(path, error, nodes);
    path = line.slice(2);
    nodes = [];
  } else if (line.startsWith("E ")) {
    const m = /^E (-?\d+) (\d+) (.*)$/.exec(line);
    error = { n: +m[1], at: +m[2], msg: m[3] };
  } else nodes.push(line);
}
if (path) check(path, error, nodes);
console.log(`# ${same} the same, ${refusedByBoth} refused by both, ${acceptedByUsOnly} accepted by us only, ${different} different`);
if (!typed) console.log("# without @babel/parser: no file with types was compared");
if (same < atLeast) console.log(`not ok - ${same} files are the same, ${atLeast} were asked for`);
// Now and then the reference knows less than we do; often would mean that we take anything.
const lax = acceptedByUsOnly > Math.max(1, files.length / 1000);
if (lax) console.log(`not ok - ${acceptedByUsOnly} files that the reference refuses are accepted`);
const good = !different && !lax && same >= atLeast;
console.log(`${good ? "ok" : "not ok"} - parser and reference agree\n1..1`);
process.exit(good ? 0 : 1);
