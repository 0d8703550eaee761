// typed.mjs - what @babel/parser reads of a file with types (TypeScript, Flow), in the form that compare.mjs expects: acorn's
// kinds of nodes, no types, and for what TypeScript adds to run the JavaScript it means (src/parse/js-parse-ts.c).

export function loadBabel(require) {
  try {
    return require("@babel/parser");
  } catch {
    return null;
  }
}

const common = ["jsx", "decoratorAutoAccessors", "importAttributes", "explicitResourceManagement", "deferredImportEvaluation",
  "sourcePhaseImports"];
const estree = ["estree", { classFeatures: true }];

// How the file is to be read, by its name.
function plugins(path) {
  if (/\.[cm]?ts$/.test(path)) return [["typescript"], "decorators-legacy", estree, ...common.filter((p) => p !== "jsx")];
  if (/\.tsx$/.test(path)) return [["typescript"], "decorators-legacy", estree, ...common];
  return [["flow", { all: true, enums: true }], "decorators-legacy", estree, ...common];
}

const flow = new Set(["InterfaceDeclaration", "TypeAlias", "OpaqueType", "DeclareVariable", "DeclareFunction", "DeclareClass",
  "DeclareModule", "DeclareModuleExports", "DeclareTypeAlias", "DeclareOpaqueType", "DeclareInterface", "DeclareExportDeclaration",
  "DeclareExportAllDeclaration", "InterfaceExtends", "ClassImplements", "Variance", "DeclaredPredicate", "TypeAnnotation",
  "TypeParameterDeclaration", "TypeParameterInstantiation"]);
const wrappers = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "TSTypeAssertion",
  "TSInstantiationExpression", "TypeCastExpression", "AsExpression", "AsConstExpression"]);

// White space and comments after pos are skipped.
function blank(text, pos) {
  const re = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
  re.lastIndex = pos;
  re.exec(text);
  return re.lastIndex;
}

// Where a pattern ends without its annotation.
function patternEnd(n, text) {
  if (n.type === "Identifier") return n.start + (n.loc?.identifierName ?? n.name).length;
  if (!n.typeAnnotation && !n.optional) return n.end;
  if (n.type === "RestElement" || n.type === "AssignmentPattern") return n.typeAnnotation ? patternEnd(n.argument, text) : n.end;
  let end = n.typeAnnotation ? n.typeAnnotation.start : n.end;
  while (/[\s?]/.test(text[end - 1])) end--;
  return end;
}

const make = (type, start, end, rest) => ({ type, start, end, ...rest });

function isErased(n) {
  return n.declare || n.abstract && n.type !== "ClassDeclaration" && n.type !== "ClassExpression" ||
    n.importKind === "type" || n.importKind === "typeof" || n.exportKind === "type" ||
    n.type.startsWith("TSAbstract") || n.type.startsWith("TSDeclare") || n.type === "TSIndexSignature" ||
    n.type === "TSEmptyBodyFunctionExpression" || flow.has(n.type) || (n.value?.type === "TSEmptyBodyFunctionExpression") ||
    (n.value?.type === "TSDeclareMethod") || (n.value && n.type === "MethodDefinition" && !n.value.body);
}

function enumeration(n, text) {
  const body = n.body ?? n;
  const members = body.members ?? [];
  const open = text.indexOf("{", n.id.end);
  const value = make("ObjectExpression", open, n.end, {
    properties: members.filter((m) => m.initializer ?? m.init).map((m) =>
      make("Property", m.start, m.end, { key: m.id, value: m.initializer ?? m.init })) });
  return make("VariableDeclaration", n.start, n.end,
    { declarations: [make("VariableDeclarator", n.id.start, n.end, { id: n.id, init: value })] });
}

function importEquals(n, text) {
  const ref = n.moduleReference;
  const entity = (e) => e.type === "TSQualifiedName"
    ? make("MemberExpression", e.start, e.end, { object: entity(e.left), property: e.right, computed: false }) : e;
  const init = ref.type === "TSExternalModuleReference"
    ? make("CallExpression", ref.start, ref.end,
        { callee: make("Identifier", ref.start, ref.start + 7), arguments: [ref.expression] }) : entity(ref);
  const end = ref.end;
  const start = n.isExport ? text.indexOf("import", n.start) : n.start;
  const v = make("VariableDeclaration", start, n.end,
    { declarations: [make("VariableDeclarator", n.id.start, end, { id: n.id, init })] });
  return n.isExport ? make("ExportNamedDeclaration", n.start, n.end, { declaration: v }) : v;
}

// constructor(private a): the parameter, and this.a = a in the body.
function property(n, text, extra) {
  const p = n.parameter.type === "AssignmentPattern" ? n.parameter.left : n.parameter;
  const { start } = p, end = patternEnd(p, text);
  for (const d of n.decorators ?? []) extra.push(d.expression);
  extra.push(make("ExpressionStatement", start, end, { expression: make("AssignmentExpression", start, end, {
    left: make("MemberExpression", start, end, { computed: false, object: make("ThisExpression", start, start) }),
    right: make("Identifier", start, end) }) }));
  return n.parameter;
}

function exportEquals(n) {
  return make("ExpressionStatement", n.start, n.end, { expression: make("AssignmentExpression", n.start, n.expression.end, {
    left: make("MemberExpression", n.start, n.start + 6, { computed: false, object: make("Identifier", n.start, n.start + 6) }),
    right: n.expression }) });
}

// The node as JavaScript has it: null when nothing of it runs.
function plain(n, text, extra) {
  if (isErased(n)) return null;
  if (wrappers.has(n.type)) return n.expression;
  switch (n.type) {
    case "TSEnumDeclaration": case "EnumDeclaration": return enumeration(n, text);
    case "TSImportEqualsDeclaration": return importEquals(n, text);
    case "TSExportAssignment": return exportEquals(n);
    case "TSParameterProperty": return property(n, text, extra);
    case "TSNamespaceExportDeclaration": return null;
    case "TSModuleDeclaration": {
      let b = n.body;
      while (b && b.type === "TSModuleDeclaration") b = b.body;
      return b ? make("BlockStatement", b.start, b.end, { body: b.body.map((s) => s.declaration ?? s) }) : null;
    }
    case "ExportNamedDeclaration": {
      if (!n.declaration) return n;
      const d = plain(n.declaration, text, extra);
      if (!d) return null;
      return d.type === "BlockStatement" ? d : n;
    }
    case "ExportDefaultDeclaration": return plain(n.declaration, text, extra) ? n : null;
    default: return n.type.startsWith("TS") ? null : n;
  }
}

// Rewrites the tree in place, without recursion; returns its root.
function erase(root, text) {
  const todo = [root];
  while (todo.length) {
    const n = todo.pop();
    const extra = [];
    for (const key in n) {
      if (/^(type(Annotation|Parameters|Arguments|Args)|returnType|predicate|implements|superTypeParameters|mixins|variance|loc|extra|leadingComments|trailingComments|innerComments|errors|comments|tokens)$/.test(key)) { delete n[key]; continue; }
      const v = n[key];
      const clean = (c) => {
        while (c && c.type) {
          const d = plain(c, text, extra);
          if (d === c) break;
          c = d;
        }
        return c;
      };
      if (Array.isArray(v)) n[key] = v.map(clean).filter((c) => c !== null || key === "elements");
      else if (v && v.type) n[key] = clean(v);
    }
    n.decorators?.length && shiftStart(n, text);
    if (n.params) n.params = n.params.filter((p) => !(p.type === "Identifier" && p.name === "this"));
    if (extra.length && n.body?.body) n.body.body.unshift(...extra);
    else if (extra.length) (n.extraNodes = extra);
    for (const key in n) {
      const v = n[key];
      if (Array.isArray(v)) { for (const c of v) if (c && c.type) todo.push(c); }
      else if (v && v.type) todo.push(v);
    }
  }
  return root;
}

// With us a class and a member begin after their decorators.
function shiftStart(n, text) {
  if (n.type === "Identifier" || n.type.endsWith("Pattern")) return;
  const last = Math.max(...n.decorators.map((d) => d.end));
  if (n.start >= last) return;
  n.start = blank(text, last);
  for (const word of ["export", "default"])
    if (text.startsWith(word, n.start)) n.start = blank(text, n.start + word.length);
}

// Ends of patterns are cut before annotations are deleted.
function cutPatterns(root, text) {
  const todo = [root];
  while (todo.length) {
    const n = todo.pop();
    if (n.type === "Identifier" || n.typeAnnotation && /Pattern$|RestElement/.test(n.type)) n.end = patternEnd(n, text);
    if (n.params && n.typeParameters) n.start = Math.min(n.start, n.typeParameters.start);
    for (const key in n) {
      const v = n[key];
      if (Array.isArray(v)) { for (const c of v) if (c && c.type) todo.push(c); }
      else if (v && v.type && key !== "loc") todo.push(v);
    }
  }
}

// Parses with types: the tree, or throws.
export function parseTyped(babel, path, text) {
  let first;
  for (const sourceType of ["module", "script"])
    try {
      const { program } = babel.parse(text, { sourceType, plugins: plugins(path), allowReturnOutsideFunction: true,
        allowSuperOutsideMethod: true, allowUndeclaredExports: true, allowNewTargetOutsideFunction: true, attachComment: false });
      cutPatterns(program, text);
      return erase(program, text);
    } catch (e) {
      first ??= e;
    }
  throw first;
}
