# Decrypts what a session's queue delivered, with the package `cryptography`.
# Usage: python decrypt.py session.json messages.json
#   session.json   the reply of /create
#   messages.json  the reply of SQS ReceiveMessage (JSON protocol)
import base64
import json
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def decrypt(aes_key, body):
    counter, cipher_text = body.split("|")
    key = algorithms.AES(base64.b64decode(aes_key))
    block = int(counter).to_bytes(16, "big")
    decryptor = Cipher(key, modes.CTR(block)).decryptor()
    return (decryptor.update(base64.b64decode(cipher_text)) + decryptor.finalize()).decode()


session = json.load(open(sys.argv[1]))["session"]
for message in json.load(open(sys.argv[2])).get("Messages", []):
    print(decrypt(session["aesKey"], message["Body"]))
