// SPDX-License-Identifier: BSD-3-Clause
// Prometheus' text format, version 0.0.4.

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** All samples of one name; counters only ever grow while a process lives. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

export function counter(name: string, help: string, ...samples: (number | Sample)[]): Family {
  return { name, help, type: "counter", samples: samples.map(asSample) };
}

export function gauge(name: string, help: string, ...samples: (number | Sample)[]): Family {
  return { name, help, type: "gauge", samples: samples.map(asSample) };
}

function asSample(given: number | Sample): Sample {
  return typeof given === "number" ? { value: given } : given;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

function formatSample(name: string, { value, labels = {} }: Sample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

/** The families as a scraper reads them. */
export function formatExposition(families: readonly Family[]): string {
  return families
    .map(({ name, help, type, samples }) => {
      const head = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
      return head + samples.map((sample) => formatSample(name, sample)).join("");
    })
    .join("");
}
