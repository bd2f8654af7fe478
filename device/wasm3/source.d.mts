// SPDX-License-Identifier: BSD-3-Clause
export class SourceDiffers extends Error {}
export class Source {
  constructor(folder: string, name: string);
  replace(text: string, by: string): this;
  replaceAll(text: string, by: string): this;
  cut(from: string, upTo: string, by?: string): this;
  cutRest(from: string, by: string): this;
  save(): void;
}
