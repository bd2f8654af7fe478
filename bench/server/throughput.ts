// SPDX-License-Identifier: BSD-3-Clause
// Notifications at window 64, in processor time of the servers, beside mosquitto with TLS and QoS 1.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { cpuMicros, median, rounded, spread } from "./measuring/figures.ts";
import { startMosquitto } from "./measuring/peerProgram.ts";
import { countLines, openOwnerLink } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import type { Setting } from "./measuring/setting.ts";
import { MqttLink } from "./mqtt.ts";

const WINDOW = 64;
const ROUNDS = 5;
/** The servers are to be warm: their code is compiled while it runs. */
const OURS_WARM_UP = 20_000;
const OURS_PER_ROUND = 4_000;
const MOSQUITTO_PER_ROUND = 40_000;
/** Text of 200 bytes, as a ciphertext is. */
const VALUE = randomBytes(150).toString("base64");

/** Keeps `WINDOW` messages on their way until `count` have arrived. */
type Flow = (count: number) => Promise<void>;

/** A flow from how one message is sent and where arrivals are told. */
function windowed(send: () => void): { flow: Flow; arrived: (messages: number) => void } {
  let unsent = 0;
  let missing = 0;
  let finish: () => void = () => undefined;
  const sendSome = (messages: number): void => {
    const now = Math.min(messages, unsent);
    unsent -= now;
    for (let i = 0; i < now; i++) send();
  };
  return {
    flow: (count) =>
      new Promise((resolve) => {
        finish = resolve;
        unsent = count;
        missing = count;
        sendSome(WINDOW);
      }),
    arrived: (messages) => {
      missing -= messages;
      sendSome(messages);
      if (missing === 0) finish();
    },
  };
}

async function withNotify<T>(setting: Setting, use: (flow: Flow) => Promise<T>): Promise<T> {
  const { alice, bob } = setting;
  const monitor = await openOwnerLink(bob.endpoint, bob.keys);
  const sender = await openOwnerLink(alice.endpoint, alice.keys);
  const line = `notify:update:messageType:key:isEncrypted:true:@bob:flow.bench@alice:${VALUE}\n`;
  sender.resume();
  const { flow, arrived } = windowed(() => sender.write(line));
  monitor.on("data", (chunk: Buffer) => arrived(countLines(chunk)));
  monitor.write("monitor:strict flow\\.bench\n");
  const used = await use(flow);
  sender.destroy();
  monitor.destroy();
  return used;
}

async function withMosquitto<T>(
  setting: Setting,
  use: (flow: Flow, pid: number) => Promise<T>,
): Promise<T> {
  const broker = await startMosquitto(join(setting.folder, "mosquitto"), setting.authority);
  const sender = await MqttLink.open(broker, "sender");
  const receiver = await MqttLink.open(broker, "receiver");
  await receiver.subscribe("flow");
  const payload = Buffer.from(VALUE);
  const { flow, arrived } = windowed(() => sender.publish("flow", payload));
  receiver.onMessage = () => arrived(1);
  const used = await use(flow, broker.pid);
  sender.close();
  receiver.close();
  await broker.close();
  return used;
}

/** Processor time a message of each process while the flow runs, µs. */
async function cpuOf(pids: readonly number[], flow: Flow, count: number): Promise<number[]> {
  const before = pids.map(cpuMicros);
  await flow(count);
  return pids.map((pid, index) => (cpuMicros(pid) - (before[index] ?? 0)) / count);
}

/**
 * Both atServers flush each notification to disk before they acknowledge it; mosquitto keeps everything in memory, which
 * is less. The row is of the busier of the two.
 */
export function measureThroughput(setting: Setting): Promise<RowResult> {
  const servers = [setting.alice.pid, setting.bob.pid];
  return withNotify(setting, (notifyFlow) =>
    withMosquitto(setting, async (mqttFlow, pid) => {
      await mqttFlow(MOSQUITTO_PER_ROUND / 10);
      await notifyFlow(OURS_WARM_UP);
      const broker: number[] = [];
      const sending: number[] = [];
      const receiving: number[] = [];
      const ratios: number[] = [];
      const perSecond: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const [theirs = 0] = await cpuOf([pid], mqttFlow, MOSQUITTO_PER_ROUND);
        const start = performance.now();
        const [a = 0, b = 0] = await cpuOf(servers, notifyFlow, OURS_PER_ROUND);
        perSecond.push((OURS_PER_ROUND * 1000) / (performance.now() - start));
        broker.push(theirs);
        sending.push(a);
        receiving.push(b);
        ratios.push(Math.max(a, b) / theirs);
      }
      return {
        rows: { notifyCpuOverMosquitto: rounded(median(ratios)) },
        details: {
          notifyCpuOverMosquitto: spread(ratios),
          mosquittoCpuMicros: spread(broker),
          sendingServerCpuMicros: spread(sending),
          receivingServerCpuMicros: spread(receiving),
          notifiesPerSecond: spread(perSecond),
        },
      };
    }),
  );
}
