// SPDX-License-Identifier: BSD-3-Clause
// Finds promises whose rejection nobody would hear of, with the compiler's types, also where a promise comes from Node or a
// package and where a function that gives one is called by somebody who expects nothing back.
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** A finding: `file:line  what  text`. */
export type Finding = { readonly place: string; readonly rule: Rule; readonly text: string };

export type Rule =
  /** A promise is left alone, or only `void`, `.then(one)` or `.finally()` is done to it. */
  | "floating"
  /** A function that gives a promise stands where its result is dropped. */
  | "voidReturn"
  /** A promise is taken for a truth value. */
  | "condition"
  /** A promise is kept in a variable, and something may throw or be waited for before it is used. */
  | "unwatched";

const SHOWN = 100;

function withoutParentheses(expression: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(expression)
    ? withoutParentheses(expression.expression)
    : expression;
}

function parsedConfig(configFile: string): ts.ParsedCommandLine {
  const { config, error } = ts.readConfigFile(configFile, ts.sys.readFile);
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, " "));
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(configFile));
}

/** The program of a tsconfig file, of its files that lie in a folder. */
export function programOf(configFile: string, folder: string): ts.Program {
  const { fileNames, options } = parsedConfig(configFile);
  const within = fileNames.filter((name) => !relative(folder, name).startsWith(".."));
  return ts.createProgram(within, { ...options, noEmit: true });
}

/** A program of one file, `sample.ts`, with the options of a tsconfig file and in its folder; nothing is written there. */
export function programOfText(
  configFile: string,
  text: string,
): { program: ts.Program; folder: string } {
  const { options } = parsedConfig(configFile);
  const folder = dirname(configFile);
  const name = join(folder, "sample.ts");
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => path === name || fileExists.call(host, path);
  host.readFile = (path) => (path === name ? text : readFile.call(host, path));
  host.getSourceFile = (path, version, ...rest) =>
    path === name
      ? ts.createSourceFile(path, text, version)
      : getSourceFile.call(host, path, version, ...rest);
  return { program: ts.createProgram([name], options, host), folder };
}

/** Goes through the files of a program that `wanted` names by their paths under `root`. */
export function findings(
  program: ts.Program,
  root: string,
  wanted: (path: string) => boolean,
): Finding[] {
  const found: Finding[] = [];
  for (const file of program.getSourceFiles()) {
    const path = relative(root, file.fileName);
    if (file.isDeclarationFile || !wanted(path)) continue;
    new Walk(program.getTypeChecker(), file, path, found).visit(file);
  }
  return found;
}

class Walk {
  private readonly types: ts.TypeChecker;
  private readonly file: ts.SourceFile;
  private readonly path: string;
  private readonly found: Finding[];

  constructor(types: ts.TypeChecker, file: ts.SourceFile, path: string, found: Finding[]) {
    this.types = types;
    this.file = file;
    this.path = path;
    this.found = found;
  }

  visit(node: ts.Node): void {
    if (ts.isExpressionStatement(node)) this.statement(node.expression);
    if (ts.isVoidExpression(node) && this.holdsPromise(node.expression)) {
      this.report(node, "floating");
    }
    if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) this.passed(node);
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) this.named(node);
    this.conditionOf(node);
    if (ts.isBlock(node) || ts.isSourceFile(node) || ts.isCaseOrDefaultClause(node)) {
      this.variables(node.statements);
    }
    ts.forEachChild(node, (child) => this.visit(child));
  }

  private report(node: ts.Node, rule: Rule): void {
    const { line } = this.file.getLineAndCharacterOfPosition(node.getStart(this.file));
    const text = node.getText(this.file).replace(/\s+/g, " ").slice(0, SHOWN);
    this.found.push({ place: `${this.path}:${line + 1}`, rule, text });
  }

  private statement(expression: ts.Expression): void {
    const inner = withoutParentheses(expression);
    if (ts.isAwaitExpression(inner) || ts.isVoidExpression(inner)) return;
    if (ts.isBinaryExpression(inner)) {
      if (inner.operatorToken.kind === ts.SyntaxKind.EqualsToken) return;
      const short = [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken];
      if (short.includes(inner.operatorToken.kind)) this.statement(inner.right);
      return;
    }
    if (ts.isConditionalExpression(inner)) {
      this.statement(inner.whenTrue);
      this.statement(inner.whenFalse);
      return;
    }
    if (this.holdsPromise(inner) && !this.isHandled(inner)) this.report(inner, "floating");
  }

  /** `x.then(a, b)`, and `x.catch(a)` whatever follows: what a handler itself throws is its own mistake. */
  private isHandled(expression: ts.Expression): boolean {
    if (!ts.isCallExpression(expression)) return false;
    const { expression: callee, arguments: given } = expression;
    if (!ts.isPropertyAccessExpression(callee)) return false;
    const name = callee.name.text;
    if (name === "then" && given.length === 2) return true;
    return name === "catch" && given.length === 1;
  }

  private holdsPromise(expression: ts.Expression): boolean {
    return this.isPromise(this.types.getTypeAtLocation(expression), expression);
  }

  private isPromise(type: ts.Type, at: ts.Node, depth = 0): boolean {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Never)) return false;
    if (type.isUnion()) return type.types.some((part) => this.isPromise(part, at, depth));
    const then = type.getProperty("then");
    if (then !== undefined) {
      const called = this.types.getTypeOfSymbolAtLocation(then, at).getCallSignatures();
      return called.some(({ parameters }) => parameters.length > 0);
    }
    if (depth > 0 || !this.types.isArrayLikeType(type)) return false;
    const element = type.getNumberIndexType();
    return element !== undefined && this.isPromise(element, at, depth + 1);
  }

  private givesPromise(type: ts.Type, at: ts.Node): boolean {
    return type
      .getCallSignatures()
      .some((signature) => this.isPromise(this.types.getReturnTypeOfSignature(signature), at));
  }

  /** A context whose every signature gives nothing. */
  private wantsNothing(context: ts.Type | undefined): boolean {
    if (context === undefined) return false;
    const signatures = (context.isUnion() ? context.types : [context]).flatMap((part) => [
      ...part.getCallSignatures(),
    ]);
    return (
      signatures.length > 0 &&
      signatures.every(
        (signature) =>
          (this.types.getReturnTypeOfSignature(signature).flags & ts.TypeFlags.Void) !== 0,
      )
    );
  }

  private passed(node: ts.ArrowFunction | ts.FunctionExpression): void {
    if (!this.givesPromise(this.types.getTypeAtLocation(node), node)) return;
    if (this.wantsNothing(this.types.getContextualType(node))) this.report(node, "voidReturn");
  }

  /** A function's name in place of a function. */
  private named(node: ts.Identifier | ts.PropertyAccessExpression): void {
    const { parent } = node;
    const isArgument =
      (ts.isCallExpression(parent) || ts.isNewExpression(parent)) &&
      (parent.arguments?.includes(node) ?? false);
    const isValue =
      (ts.isPropertyAssignment(parent) && parent.initializer === node) ||
      ts.isShorthandPropertyAssignment(parent);
    if (!isArgument && !isValue) return;
    if (!this.givesPromise(this.types.getTypeAtLocation(node), node)) return;
    if (this.wantsNothing(this.types.getContextualType(node))) this.report(parent, "voidReturn");
  }

  private conditionOf(node: ts.Node): void {
    const conditions: (ts.Expression | undefined)[] = [];
    if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) {
      conditions.push(node.expression);
    } else if (ts.isForStatement(node) || ts.isConditionalExpression(node)) {
      conditions.push(node.condition);
    } else if (
      ts.isPrefixUnaryExpression(node) &&
      node.operator === ts.SyntaxKind.ExclamationToken
    ) {
      conditions.push(node.operand);
    } else if (ts.isBinaryExpression(node)) {
      const short = [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken];
      if (short.includes(node.operatorToken.kind)) conditions.push(node.left);
    }
    for (const condition of conditions) {
      if (condition !== undefined && this.isAlwaysPromise(condition)) {
        this.report(condition, "condition");
      }
    }
  }

  private isAlwaysPromise(expression: ts.Expression): boolean {
    const type = this.types.getTypeAtLocation(expression);
    if (type.isUnion()) return type.types.every((part) => this.isPromise(part, expression));
    return this.isPromise(type, expression);
  }

  /** `const p = work();` has to be used by the next statement: what stands between them may throw, or take its time. */
  private variables(statements: readonly ts.Statement[]): void {
    for (const [at, statement] of statements.entries()) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer === undefined || !ts.isIdentifier(name)) continue;
        const made = withoutParentheses(initializer);
        if (!ts.isCallExpression(made) || !this.holdsPromise(made) || this.isHandled(made))
          continue;
        const next = statements[at + 1];
        if (next === undefined || !this.uses(next, name.text)) this.report(statement, "unwatched");
      }
    }
  }

  private uses(node: ts.Node, name: string): boolean {
    if (ts.isIdentifier(node)) return node.text === name;
    return ts.forEachChild(node, (child) => this.uses(child, name) || undefined) ?? false;
  }
}
