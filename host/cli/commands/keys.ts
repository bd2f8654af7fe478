import { publicKeyHash } from "../../crypto/checksum.ts";
import { isP256PublicText } from "../../crypto/p256.ts";
import type { CommandDefinition } from "../terminal/command.ts";
import { addClientOptions, type ClientFlags, jsonOption, readKeys } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";
import { formatTable } from "../terminal/table.ts";

const FINGERPRINT_DIGITS = 16;

export const keys: CommandDefinition = (program, io) => {
  const command = program
    .command("keys")
    .description("tell what a key file holds; never the secrets")
    .addHelpText("after", "\nExample: atmicro keys -a @alice");
  addClientOptions(command)
    .addOption(jsonOption())
    .action(async (flags: ClientFlags & { readonly json?: boolean }) => {
      const keys = await readKeys(flags, io);
      const about = {
        atSign: keys.atSign,
        login: isP256PublicText(keys.pkamPublicKey) ? "P-256" : "RSA-2048",
        loginKey: fingerprint(keys.pkamPublicKey),
        encryptionKey: fingerprint(keys.encryptPublicKey),
        enrollmentId: keys.enrollmentId ?? null,
      };
      const rows = [
        ["login", about.login],
        ["login key", about.loginKey],
        ["encryption key", about.encryptionKey],
        ["enrollment", about.enrollmentId ?? "none: keys of the atSign itself"],
      ];
      printResult(io, flags.json, about, formatTable(["atSign", keys.atSign], rows));
    });
};

/** The first digits of SHA-512 over a public key's text, enough to tell two keys apart. */
function fingerprint(publicKey: string): string {
  return publicKeyHash(publicKey).slice(0, FINGERPRINT_DIGITS);
}
