// SPDX-License-Identifier: BSD-3-Clause
// Edits of a C source that fail when the source is not the one they were written for.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The source of wasm3 differs from the one the edits are for. */
export class SourceDiffers extends Error {}

/** One file of a copy of wasm3; every edit names the text it replaces. */
export class Source {
  #path;
  #name;
  #text;

  /** @param {string} folder @param {string} name */
  constructor(folder, name) {
    this.#path = join(folder, name);
    this.#name = name;
    this.#text = readFileSync(this.#path, "utf8").replaceAll("\r\n", "\n");
  }

  #place(text, from = 0) {
    const at = this.#text.indexOf(text, from);
    if (at < 0) {
      throw new SourceDiffers(`wasm3's ${this.#name} has no "${text.split("\n")[0]}"`);
    }
    return at;
  }

  /** Replaces `text`, which stands exactly once. Throws SourceDiffers. @param {string} text @param {string} by */
  replace(text, by) {
    const at = this.#place(text);
    if (this.#text.includes(text, at + 1)) {
      throw new SourceDiffers(`wasm3's ${this.#name} has "${text.split("\n")[0]}" more than once`);
    }
    this.#text = this.#text.slice(0, at) + by + this.#text.slice(at + text.length);
    return this;
  }

  /** Replaces `text` wherever it stands, at least once. Throws SourceDiffers. @param {string} text @param {string} by */
  replaceAll(text, by) {
    this.#place(text);
    this.#text = this.#text.replaceAll(text, by);
    return this;
  }

  /** Replaces what begins with the first `from` and ends before the next `upTo`. Throws SourceDiffers. @param {string} from @param {string} upTo */
  cut(from, upTo, by = "") {
    const start = this.#place(from);
    const end = this.#place(upTo, start + from.length);
    this.#text = this.#text.slice(0, start) + by + this.#text.slice(end);
    return this;
  }

  /** Replaces what begins with `from`, to the end of the file. Throws SourceDiffers. @param {string} from @param {string} by */
  cutRest(from, by) {
    this.#text = this.#text.slice(0, this.#place(from)) + by;
    return this;
  }

  /** Writes the edited file in place of the copy. */
  save() {
    writeFileSync(this.#path, this.#text);
  }
}
