// What ethers does with key files and typed data, for interop.py: a JSON array of operations on stdin, one of answers on
// stdout.
const fs = require("fs");

const places = [process.env.ZELL_INTEROP_NODE, process.cwd(), __dirname].filter(Boolean);
const { ethers } = require(require.resolve("ethers", { paths: places }));

const light = { N: 1024, r: 8, p: 1 };

const operations = {
  version: async () => ({ version: ethers.version }),
  write: async ({ secret, password, cost }) => {
    const account = { address: new ethers.Wallet(secret).address, privateKey: secret };
    const options = cost === "light" ? { scrypt: light } : {};
    return { json: await ethers.encryptKeystoreJson(account, password, options) };
  },
  // As a wallet made from words is written: with the words, encrypted too, beside the key.
  "write-mnemonic": async ({ words, password }) => {
    const wallet = ethers.HDNodeWallet.fromPhrase(words);
    const account = {
      address: wallet.address,
      privateKey: wallet.privateKey,
      mnemonic: { entropy: wallet.mnemonic.entropy, path: wallet.path, locale: "en" },
    };
    return { json: await ethers.encryptKeystoreJson(account, password, { scrypt: light }), secret: wallet.privateKey };
  },
  read: async ({ json, password }) => {
    const wallet = await ethers.Wallet.fromEncryptedJson(json, password);
    return { secret: wallet.privateKey, address: wallet.address };
  },
  // What a browser wallet does for eth_signTypedData_v4.
  "sign-typed-data": async ({ secret, typed }) => {
    const wallet = new ethers.Wallet(secret);
    return {
      signature: await wallet.signTypedData(typed.domain, typed.types, typed.message),
      address: wallet.address,
    };
  },
};

async function main() {
  const answers = [];
  for (const operation of JSON.parse(fs.readFileSync(0, "utf8"))) {
    try {
      answers.push(await operations[operation.op](operation));
    } catch (error) {
      answers.push({ error: String(error.message) });
    }
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
