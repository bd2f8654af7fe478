// SPDX-License-Identifier: BSD-3-Clause
// What is exported says what it does. A comment directly above counts; a class or interface has one for itself and one
// for each public method.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => `${folder}/${entry.name}`)
    .sort();
}

/** A declaration that others can use, and the comment directly above it. */
interface Documented {
  readonly name: string;
  readonly node: ts.Node;
  readonly text: string;
}

function commentAbove(source: ts.SourceFile, node: ts.Node): string {
  const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const last = ranges.at(-1);
  if (!last || !source.text.startsWith("/**", last.pos)) return "";
  return source.text.slice(last.pos, last.end);
}

const isHidden = (member: ts.Node, source: ts.SourceFile) =>
  (ts.canHaveModifiers(member) &&
    ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) ||
  ((member as ts.NamedDeclaration).name?.getText(source).startsWith("#") ?? false);

function membersOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isClassDeclaration(node)) return node.members;
  return ts.isInterfaceDeclaration(node) ? node.members : [];
}

/** Exports of a file, and the public methods of exported classes and interfaces. */
function documentedOf(source: ts.SourceFile): Documented[] {
  return source.statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    const exported = ts
      .getModifiers(statement)
      ?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!exported) return [];
    const nodes = [statement, ...membersOf(statement).filter((member) => isMethod(member, source))];
    return nodes.map((node) => ({
      name: nameOf(node, source),
      node,
      text: commentAbove(source, node),
    }));
  });
}

const isMethod = (member: ts.Node, source: ts.SourceFile) =>
  (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) && !isHidden(member, source);

function nameOf(node: ts.Node, source: ts.SourceFile): string {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.map(({ name }) => name.getText(source)).join();
  }
  return (node as ts.NamedDeclaration).name?.getText(source) ?? "";
}

/** The function itself, or the one a constant is. */
function functionOf(node: ts.Node): ts.SignatureDeclaration | undefined {
  if (ts.isFunctionLike(node)) return node;
  if (!ts.isVariableStatement(node)) return undefined;
  const first = node.declarationList.declarations[0]?.initializer;
  return first && ts.isFunctionLike(first) ? first : undefined;
}

function returnsPromise(fn: ts.SignatureDeclaration, source: ts.SourceFile): boolean {
  const isAsync =
    ts.canHaveModifiers(fn) &&
    ts.getModifiers(fn)?.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword);
  return isAsync || /^Promise\b/.test(fn.type?.getText(source) ?? "");
}

/** Whether the function itself has a throw statement, functions inside it left out. */
function throwsItself(fn: ts.SignatureDeclaration): boolean {
  const visit = (node: ts.Node): boolean => {
    if (ts.isThrowStatement(node)) return true;
    if (ts.isFunctionLike(node)) return false;
    return ts.forEachChild(node, (child) => visit(child) || undefined) ?? false;
  };
  return ts.forEachChild(fn, (child) => visit(child) || undefined) ?? false;
}

/** What a file's comments lack, a line each. */
function missing(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return documentedOf(source).flatMap(({ name, node, text: comment }) => {
    if (comment === "") return [`${file}: ${name} has no comment`];
    const fn = functionOf(node);
    if (!fn) return [];
    const rejects = /\b(?:[Rr]ejects?|[Nn]ever rejects)\b/.test(comment);
    if (returnsPromise(fn, source)) {
      return rejects ? [] : [`${file}: ${name} doesn't say how it rejects`];
    }
    if (!throwsItself(fn) || /\b[Tt]hrows\b/.test(comment)) return [];
    return [`${file}: ${name} doesn't say what it throws`];
  });
}

/** Functions that a C header declares without a comment directly above. */
function undescribed(file: string, text: string): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const name = /^(?!typedef|extern|static|#)[A-Za-z_][\w \t*]*?\b(\w+)\(/.exec(line)?.[1];
    if (name === undefined || /^\s*\/\//.test(lines[at - 1] ?? "")) return [];
    return [`${file}: ${name} has no comment`];
  });
}

const read = (file: string) => readFileSync(join(root, file), "utf8");

describe("what is exported says what it does", () => {
  it("finds what is missing", () => {
    const text = [
      "export const bare = 1;",
      "/** Nothing of rejections. */\nexport async function asks(): Promise<void> {}",
      "/** Fails at times. */\nexport function fails(): never { throw new Error(); }",
      "/** Throws Error. */\nexport function says(): never { throw new Error(); }",
      "/** A class. */\nexport class Thing { open(): void {} #own(): void {} private mine() {} }",
    ];
    expect(missing("x.ts", text.join("\n"))).toEqual([
      "x.ts: bare has no comment",
      "x.ts: asks doesn't say how it rejects",
      "x.ts: fails doesn't say what it throws",
      "x.ts: open has no comment",
    ]);
    expect(undescribed("x.h", "// Said.\nint said(void);\nvoid unsaid(int x);\n")).toEqual([
      "x.h: unsaid has no comment",
    ]);
  });

  it.each(["core/abi", "host/client", "host/wire"])("in %s", (folder) => {
    const files = filesOf(folder, /\.ts$/);
    expect(files.length).toBeGreaterThan(2);
    expect(files.flatMap((file) => missing(file, read(file)))).toEqual([]);
  });

  it("in the headers of device/", () => {
    const files = filesOf("device", /\.h$/);
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => undescribed(file, read(file)))).toEqual([]);
  });
});
