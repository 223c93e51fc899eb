// An authority of a test and the certificates that it signs, by the openssl program, in a folder that goes away.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { folder } from "./process.mjs";

const openssl = (...args) => promisify(execFile)("openssl", args);

export class Authority {
  static async make(name = "authority") {
    const a = Object.assign(new Authority(), { dir: folder(), serial: 0 });
    a.key = path.join(a.dir, "ca.key");
    a.ca = path.join(a.dir, "ca.pem");
    await openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", a.key, "-out", a.ca,
      "-days", "30", "-subj", `/CN=${name}`);
    a.pem = readFileSync(a.ca);
    return a;
  }
  /**
   * Signs a certificate for `names` (as "DNS:a,IP:b"); answers its files and texts. `into`: an earlier one, whose files get
   * the new one.
   */
  async issue(names = "DNS:localhost,IP:127.0.0.1", { days = 30, into } = {}) {
    const base = path.join(this.dir, `n${++this.serial}`);
    const [request, extensions] = [`${base}.csr`, `${base}.ext`];
    const files = into ?? { cert: `${base}.pem`, key: `${base}.key` };
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    await openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.key, "-out", request,
      "-subj", `/CN=n${this.serial}`);
    await openssl("x509", "-req", "-in", request, "-CA", this.ca, "-CAkey", this.key, "-set_serial", String(this.serial), "-days", String(days),
      "-extfile", extensions, "-out", files.cert);
    return { cert: files.cert, key: files.key, serial: this.serial, pem: { cert: readFileSync(files.cert), key: readFileSync(files.key) } };
  }
}
