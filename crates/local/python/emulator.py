"""MiniStack, answering browsers as SQS does.

SQS lets any origin call it, names the headers that it takes, and lets pages read its refusals too.
MiniStack answers preflights with `*`, which does not cover Authorization by the Fetch standard, and
refuses calls without CORS headers, which hides from the page that its keys have expired.
"""

import ministack.app as ministack

ENDPOINT = "/"  # every service but S3 and the HTTP API is called here
OPEN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]
emulator = ministack.app


async def app(scope, receive, send):
    headers = dict(scope.get("headers", ()))
    if scope["type"] != "http" or scope["path"] != ENDPOINT or b"origin" not in headers:
        return await emulator(scope, receive, send)
    if scope["method"] == "OPTIONS":
        return await allow(headers, send)
    await emulator(scope, receive, opened(send))


async def allow(headers, send):
    asked = headers.get(b"access-control-request-headers", b"")
    answer = [
        *OPEN,
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", b"86400"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": answer})
    await send({"type": "http.response.body", "body": b""})


def opened(send):
    async def send_open(event):
        if event["type"] == "http.response.start":
            names = {name for name, _ in OPEN}
            others = [header for header in event["headers"] if header[0].lower() not in names]
            event = {**event, "headers": [*others, *OPEN]}
        await send(event)

    return send_open


ministack.app = app
ministack.main()
