// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };

const [OTHER, DATA, ERROR, NOTIFICATION] = [0, 1, 2, 3];

for (const factory of engines) {
  describe(`replies on ${factory.name}`, () => {
    async function parse(line: string) {
      const engine = await factory.open();
      const io = engine.call("io_ptr");
      const bytes = Buffer.from(line);
      engine.write(io, bytes);
      const kind = engine.call("response_parse", io, bytes.length);
      const payload = engine.read(engine.call("response_ptr"), engine.call("response_len"));
      const code = kind === ERROR ? engine.call("response_code") : undefined;
      return { kind, payload: Buffer.from(payload).toString("utf8"), code };
    }

    test("data, with the space some verbs put before JSON, and values that begin with one", async () => {
      expect(await parse("data:success")).toEqual({
        kind: DATA,
        payload: "success",
        code: undefined,
      });
      expect(await parse("data:")).toMatchObject({ kind: DATA, payload: "" });
      expect(await parse('data: [{"id":"3"}]')).toMatchObject({ payload: '[{"id":"3"}]' });
      expect(await parse("data: text")).toMatchObject({ payload: " text" });
      expect(await parse("data:data:x")).toMatchObject({ payload: "data:x" });
    });

    test("errors in their three forms", async () => {
      expect(await parse("error:AT0015-key not found : phone.ns@alice does not exist")).toEqual({
        kind: ERROR,
        payload: "AT0015-key not found : phone.ns@alice does not exist",
        code: 15,
      });
      expect(await parse("error:AT0401-Exception: pkam authentication failed")).toMatchObject({
        code: 401,
      });
      expect(await parse("error:AT0025:enrollment_id: x is denied")).toMatchObject({ code: 25 });
      expect(
        await parse('error:{"errorCode":"AT0015","errorDescription":"key not found : x"}'),
      ).toMatchObject({ code: 15, payload: "key not found : x" });
      expect(await parse("error:null:text")).toMatchObject({ kind: ERROR, code: 0 });
      expect(await parse("error:{broken")).toMatchObject({ kind: ERROR, code: 0 });
      expect(await parse("error:AT00x5-y")).toMatchObject({ code: 0 });
    });

    test("the replies of the vectors", async () => {
      const code = async (reply: string) => (await parse(reply.split("\n")[0] ?? "")).code;
      expect(await code(pkam.replies.bad)).toBe(401);
      expect(await code(pkam.replies.pending)).toBe(26);
      expect(await code(pkam.replies.denied)).toBe(25);
      expect(await parse(pkam.replies.ok.split("\n")[0] ?? "")).toMatchObject({
        payload: "success",
      });
    });

    test("notifications with and without the space", async () => {
      expect(await parse('notification: {"id":"1"}')).toMatchObject({
        kind: NOTIFICATION,
        payload: '{"id":"1"}',
      });
      expect(await parse('notification:{"id":"1"}')).toMatchObject({
        kind: NOTIFICATION,
        payload: '{"id":"1"}',
      });
    });

    test("anything else", async () => {
      for (const line of ["dat", "data", "stream:ack", "host:64", "Data:x"]) {
        expect(await parse(line)).toMatchObject({ kind: OTHER, payload: line });
      }
    });
  });
}
