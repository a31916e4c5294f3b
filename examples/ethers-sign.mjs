// Signs requests with ethers, as a page in a browser would with a wallet, and submits them.
//
//   zell up && npm install ethers
//   node ethers-sign.mjs http://127.0.0.1:7101 hello world        (zell status --json says where the nodes listen)
//
// A fresh key signs; or one of a key file: KEY_FILE=wallet.json PASSWORD_FILE=wallet.pass (none for a dev key).

import { readFile } from "node:fs/promises";
import { concat, sha256, toUtf8Bytes, hexlify, Wallet } from "ethers";

const [url, ...texts] = process.argv.slice(2);
if (texts.length === 0) {
  console.error("usage: node ethers-sign.mjs URL PAYLOAD...");
  process.exit(2);
}

async function wallet() {
  const { KEY_FILE, PASSWORD_FILE } = process.env;
  if (!KEY_FILE) return Wallet.createRandom();
  const password = PASSWORD_FILE ? (await readFile(PASSWORD_FILE, "utf8")).split("\n")[0] : "";
  return Wallet.fromEncryptedJson(await readFile(KEY_FILE, "utf8"), password);
}

// The root of a Merkle tree over the payloads: RFC 6962, section 2.1.
function root(payloads) {
  if (payloads.length === 1) return sha256(concat(["0x00", payloads[0]]));
  let split = 1;
  while (split * 2 < payloads.length) split *= 2;
  return sha256(concat(["0x01", root(payloads.slice(0, split)), root(payloads.slice(split))]));
}

async function call(path, body) {
  const answer = await fetch(url + path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const document = await answer.json();
  if (!answer.ok) throw new Error(`${document.error.reason} (${document.error.hint})`);
  return document;
}

const genesis = await call("/v1/genesis"); // who trusts no node compares cluster_id with that of the genesis file
const types = {
  ZellRequest: [
    { name: "cluster", type: "bytes32" },
    { name: "app", type: "string" },
    { name: "nonce", type: "uint64" },
    { name: "count", type: "uint32" },
    { name: "payloads", type: "bytes32" },
  ],
};
const signer = await wallet();
const payloads = texts.map((text) => hexlify(toUtf8Bytes(text)));
const app = "default";
const nonce = String(BigInt(Date.now()) * 1000n); // microseconds: rising, and nobody needs to remember it
const signature = await signer.signTypedData(genesis.domain, types, {
  cluster: genesis.cluster_id,
  app,
  nonce,
  count: payloads.length,
  payloads: root(payloads),
});
const request = { schema: 1, cluster: genesis.cluster_id, app, nonce, payloads, signature };
const { results } = await call("/v1/requests?wait=finalised", JSON.stringify(request));
console.log(signer.address, results[0]);
process.exit(results[0].state === "finalised" ? 0 : 1);
