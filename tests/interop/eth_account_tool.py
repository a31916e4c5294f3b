"""What eth-account does with key files and typed data, for interop.py: a JSON array of operations on stdin, one of
answers on stdout."""

import importlib.metadata
import json
import sys

from eth_account import Account
from eth_account.messages import encode_typed_data

COSTS = {"default": {}, "light": {"kdf": "scrypt", "iterations": 1024}, "pbkdf2": {"kdf": "pbkdf2"},
         "pbkdf2-light": {"kdf": "pbkdf2", "iterations": 1000}}


def version(_):
    return {"version": importlib.metadata.version("eth-account")}


def write(operation):
    return {"json": json.dumps(Account.encrypt(operation["secret"], operation["password"], **COSTS[operation["cost"]]))}


def read(operation):
    secret = Account.decrypt(operation["json"], operation["password"])
    return {"secret": "0x" + bytes(secret).hex(), "address": Account.from_key(secret).address}


def sign_typed_data(operation):
    typed = operation["typed"]
    message = encode_typed_data(typed["domain"], typed["types"], typed["message"])
    signed = Account.sign_message(message, operation["secret"])
    return {"signature": "0x" + bytes(signed.signature).hex(), "address": Account.from_key(operation["secret"]).address}


def answer(operation):
    known = {"version": version, "write": write, "read": read, "sign-typed-data": sign_typed_data}
    try:
        return known[operation["op"]](operation)
    except Exception as error:  # whatever the package raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}


json.dump([answer(operation) for operation in json.load(sys.stdin)], sys.stdout)
