// SPDX-License-Identifier: BSD-3-Clause
// The part of the Metadata Reflection proposal that @peculiar/x509's container asks for at load
// time. Import this module before @peculiar/x509; a full polyfill already present is left alone.

type MetadataReflect = {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
};

const metadata = new WeakMap<object, Map<unknown, unknown>>();

function getOwnMetadata(key: unknown, target: object): unknown {
  return metadata.get(target)?.get(key);
}

function getMetadata(key: unknown, target: object): unknown {
  for (
    let holder: object | null = target;
    holder !== null;
    holder = Object.getPrototypeOf(holder)
  ) {
    const values = metadata.get(holder);
    if (values?.has(key)) return values.get(key);
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const values = metadata.get(target) ?? new Map<unknown, unknown>();
  values.set(key, value);
  metadata.set(target, values);
}

const reflect: typeof Reflect & MetadataReflect = Reflect;
if (reflect.getMetadata === undefined) {
  reflect.getMetadata = getMetadata;
  reflect.getOwnMetadata = getOwnMetadata;
  reflect.defineMetadata = defineMetadata;
}
