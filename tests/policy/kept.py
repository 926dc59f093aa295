#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kept.py HOST CA CERT KEY: posts each line of its input over one kept connection.

Prints "STATUS ANSWER" for each, in a line.
"""

import http.client
import ssl
import sys

host, ca, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(ca)
context.load_cert_chain(cert, key)
connection = http.client.HTTPSConnection(host, 8443, context=context)
connection.connect()
socket = connection.sock
for line in sys.stdin:
    connection.request("POST", "/v1/request", line)
    answer = connection.getresponse()
    print(answer.status, answer.read().decode(), flush=True)
    if connection.sock is not socket:
        sys.exit("the connection was not kept")
