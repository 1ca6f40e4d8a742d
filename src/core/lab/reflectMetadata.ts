/**
 * @peculiar/x509 brings a dependency injector (tsyringe) that refuses to load without a "Reflect metadata" polyfill. It asks it only
 * for constructor parameters that none of its classes declare, so these three functions over one WeakMap are all it needs.
 * Import this file before `@peculiar/x509`. A real polyfill, if one is loaded, is left alone.
 */
interface MetadataReflect {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const reflect = Reflect as MetadataReflect;
if (reflect.getMetadata === undefined) {
  const known = new WeakMap<object, Map<unknown, unknown>>();
  const read = (key: unknown, target: object): unknown => known.get(target)?.get(key);
  reflect.getMetadata = read;
  reflect.getOwnMetadata = read;
  reflect.defineMetadata = (key, value, target) => {
    const entries = known.get(target) ?? new Map<unknown, unknown>();
    known.set(target, entries.set(key, value));
  };
}
