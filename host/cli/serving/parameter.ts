// SPDX-License-Identifier: BSD-3-Clause
// What a parameter of an atServer is: its names, its type and what it may be.
import type { Tuning } from "../../server/config/config.ts";

export type Value = string | number | boolean | readonly string[];

export type TuningOf<T> = { [K in keyof Tuning]: Tuning[K] extends T ? K : never }[keyof Tuning];

interface Named {
  /** Place in the configuration file, which is also the parameter's name. */
  readonly path: string;
  /** Other spellings of the place. */
  readonly otherPaths?: readonly string[];
  /** Environment variables; the first that is set counts. */
  readonly env: readonly string[];
  /** Option of `atmicro server`, without dashes; absent where there is nothing to set. */
  readonly flag?: string;
  readonly text: string;
  /** Why it changes nothing; absent when it does. */
  readonly ineffective?: string;
}

export interface NumberParameter extends Named {
  readonly kind: "number";
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** A value below `min` that is allowed, and switches something off. */
  readonly off?: number;
  readonly initial: number;
  readonly tuning?: TuningOf<number>;
  /** What one unit is in the tuning's unit. */
  readonly factor: number;
}

export interface BooleanParameter extends Named {
  readonly kind: "boolean";
  readonly initial: boolean;
  readonly tuning?: TuningOf<boolean>;
  /** Why it can only be true. */
  readonly onlyTrue?: string;
}

export interface TextParameter extends Named {
  readonly kind: "text";
  readonly initial?: string;
  /** What is demanded, in words, and how it is read; undefined for what isn't that. */
  readonly expected: string;
  read(text: string): string | undefined;
}

export interface ListParameter extends Named {
  readonly kind: "list";
  readonly initial: readonly string[];
}

export type Parameter = NumberParameter | BooleanParameter | TextParameter | ListParameter;

/** What a value has to be, in words. */
export function expectation(parameter: Parameter): string {
  switch (parameter.kind) {
    case "number": {
      const range = `a whole number from ${parameter.min} to ${parameter.max}`;
      return parameter.off === undefined ? range : `${range}, or ${parameter.off},`;
    }
    case "boolean":
      return parameter.onlyTrue === undefined ? "true or false" : "true";
    case "text":
      return parameter.expected;
    case "list":
      return "a list of names, separated by commas where it is one text,";
  }
}
