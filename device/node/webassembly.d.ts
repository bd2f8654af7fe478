// SPDX-License-Identifier: BSD-3-Clause
// The part of the WebAssembly JavaScript API used here; neither TypeScript's es2023 library nor Node's types declare it.

declare namespace WebAssembly {
  type ExportValue = ((...args: (number | bigint)[]) => number | bigint | undefined) | Memory;
  type Exports = Readonly<Record<string, ExportValue | undefined>>;
  type Imports = Readonly<Record<string, object>>;
  interface Descriptor {
    readonly module: string;
    readonly name: string;
    readonly kind: string;
  }
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): Descriptor[];
    static exports(module: Module): Descriptor[];
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }
  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
