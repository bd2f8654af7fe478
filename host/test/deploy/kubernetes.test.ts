// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { deployed, mistakes } from "./commandLine.ts";

interface Named {
  name: string;
}

/** What of the manifests is looked at. */
interface Container extends Named {
  image: string;
  args: string[];
  ports: (Named & { containerPort: number })[];
  volumeMounts: (Named & { mountPath: string })[];
  securityContext: object;
  [probe: `${string}Probe`]: { httpGet: { path: string; port: string } } | undefined;
}

interface Manifest {
  kind: string;
  metadata: Named;
  spec: {
    serviceName: string;
    externalTrafficPolicy: string;
    replicas: number;
    selector: Record<string, string> & { matchLabels: Record<string, string> };
    ports: { port: number; targetPort: string }[];
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        securityContext: object;
        containers: [Container];
        volumes: (Named & { secret: { secretName: string; defaultMode: number } })[];
      };
    };
    volumeClaimTemplates: { metadata: Named }[];
  };
}

/** Reads the two manifests of a file as Kubernetes does. */
function manifests(file: string): { service: Manifest; set: Manifest } {
  const documents = parseAllDocuments(deployed(`kubernetes/${file}`), { version: "1.1" });
  expect([...documents].flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  const [service, set, ...more] = [...documents].map((document) => document.toJS() as Manifest);
  expect(more).toEqual([]);
  if (service === undefined || set === undefined) throw new Error(`${file} is incomplete`);
  expect([service.kind, set.kind]).toEqual(["Service", "StatefulSet"]);
  return { service, set };
}

describe.each(["atserver.yaml", "atdirectory.yaml"])("kubernetes/%s", (file) => {
  const { service, set } = manifests(file);
  const pod = set.spec.template.spec;
  const [container] = pod.containers;

  it("starts atmicro with flags it has", async () => {
    expect(container.image).toMatch(/^atmicro:/);
    expect(await mistakes(container.args)).toEqual([]);
  });

  it("leads from the Service to the pod", () => {
    const { labels } = set.spec.template.metadata;
    expect(set.spec.selector.matchLabels).toEqual(labels);
    expect(service.spec.selector).toEqual(labels);
    expect(set.spec.serviceName).toBe(service.metadata.name);
    const port = container.ports.find(({ name }) => name === service.spec.ports[0]?.targetPort);
    // Without it a pod is reached by itself only.
    expect(container.args).toContain("--host=0.0.0.0");
    expect(service.spec.externalTrafficPolicy).toBe("Local");
    expect(container.args).toContain(`--port=${port?.containerPort}`);
    expect(service.spec.ports).toHaveLength(1);
  });

  it("mounts what it names, and names files of what it mounts", () => {
    const volumes = [
      ...pod.volumes.map(({ name }) => name),
      ...set.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name),
    ];
    expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort());
    const paths = container.args.flatMap((arg) => /=(\/.*)/.exec(arg)?.[1] ?? []);
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      expect(container.volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`))).toBe(
        true,
      );
    }
    for (const { secret } of pod.volumes) expect(secret.defaultMode).toBe(0o440);
  });

  it("asks ports it has whether it lives and is ready", () => {
    const metrics = container.ports.find(({ name }) => name === "metrics");
    expect(container.args).toContain(`--metrics-port=${metrics?.containerPort}`);
    expect(container.args).toContain("--metrics-host=0.0.0.0");
    expect(container.startupProbe?.httpGet).toEqual({ path: "/healthz", port: "metrics" });
    expect(container.livenessProbe?.httpGet).toEqual({ path: "/healthz", port: "metrics" });
    expect(container.readinessProbe?.httpGet).toEqual({ path: "/readyz", port: "metrics" });
  });

  it("is one process without privileges, which has time to end", () => {
    expect(set.spec.replicas).toBe(1);
    expect(pod.terminationGracePeriodSeconds).toBe(15);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("holds no secret", () => {
    const text = deployed(`kubernetes/${file}`);
    expect(text).not.toMatch(/kind: Secret|stringData|BEGIN/);
  });
});
