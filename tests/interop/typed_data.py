"""A request as the typed data that a wallet is shown (node/wire/FORMATS.md, "Signed structures"), made here from that
page alone, not by zell's code."""

import hashlib

TYPES = {"ZellRequest": [{"name": "cluster", "type": "bytes32"}, {"name": "app", "type": "string"},
                         {"name": "nonce", "type": "uint64"}, {"name": "count", "type": "uint32"},
                         {"name": "payloads", "type": "bytes32"}]}


def tree_root(payloads):
    """RFC 6962."""
    if len(payloads) == 1:
        return hashlib.sha256(b"\0" + payloads[0]).digest()
    split = 1 << ((len(payloads) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_root(payloads[:split]) + tree_root(payloads[split:])).digest()


def typed_data(genesis, app, nonce, payloads):
    """`genesis` is what GET /v1/genesis answers."""
    return {"domain": genesis["domain"], "types": TYPES, "primaryType": "ZellRequest",
            "message": {"cluster": genesis["cluster_id"], "app": app, "nonce": str(nonce), "count": len(payloads),
                        "payloads": "0x" + tree_root(payloads).hex()}}
