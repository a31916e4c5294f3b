// What geth's own code does with key files, for tests/interop/interop.py: a JSON array of operations on stdin, one of
// answers on stdout.
package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"
)

type operation struct {
	Op, Secret, Password, Cost, JSON string
}

type answer map[string]string

func version() answer {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/ethereum/go-ethereum" {
			return answer{"version": module.Version}
		}
	}
	return answer{"error": "built without modules"}
}

func write(o operation) answer {
	private, err := crypto.HexToECDSA(strings.TrimPrefix(o.Secret, "0x"))
	if err != nil {
		return answer{"error": err.Error()}
	}
	n, p := keystore.StandardScryptN, keystore.StandardScryptP
	if o.Cost == "light" {
		n, p = keystore.LightScryptN, keystore.LightScryptP
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return answer{"error": err.Error()}
	}
	key := &keystore.Key{Id: id, Address: crypto.PubkeyToAddress(private.PublicKey), PrivateKey: private}
	text, err := keystore.EncryptKey(key, o.Password, n, p)
	if err != nil {
		return answer{"error": err.Error()}
	}
	return answer{"json": string(text)}
}

func read(o operation) answer {
	key, err := keystore.DecryptKey([]byte(o.JSON), o.Password)
	if err != nil {
		return answer{"error": err.Error()}
	}
	return answer{"secret": "0x" + hex.EncodeToString(crypto.FromECDSA(key.PrivateKey)), "address": key.Address.Hex()}
}

func main() {
	var operations []operation
	if err := json.NewDecoder(os.Stdin).Decode(&operations); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, o := range operations {
		switch o.Op {
		case "version":
			answers = append(answers, version())
		case "write":
			answers = append(answers, write(o))
		case "read":
			answers = append(answers, read(o))
		default:
			answers = append(answers, answer{"error": "unknown operation " + o.Op})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
