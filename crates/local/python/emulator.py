"""MiniStack, answering browsers as SQS does.

SQS lets any origin call it, names the headers that it takes, and lets pages read its refusals too.
MiniStack answers preflights with `*`, which does not cover Authorization by the Fetch standard, and
refuses calls without CORS headers, which hides from the page that its keys have expired. It also goes
on with a poll whose caller has left, and hands it the next message, which is then hidden for a while.
And the thread by which it expires items leaves no record of them in the table's stream: it removes
nothing here, where another program deletes them instead.

It ends with the program that has started it, also when that one is killed.
"""

import asyncio
import os
import signal
import threading
import time

import ministack.app as ministack
import ministack.services.dynamodb as dynamodb

ENDPOINT = "/"  # every service but S3 and the HTTP API is called here
POLL = b"AmazonSQS.ReceiveMessage"
OPEN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]
emulator = ministack.app
remove_item = dynamodb._remove_item


def remove(*args):
    if threading.current_thread().name != "dynamodb-ttl-reaper":
        return remove_item(*args)


dynamodb._remove_item = remove


async def app(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != ENDPOINT:
        return await emulator(scope, receive, send)
    headers = dict(scope["headers"])
    if b"origin" in headers:
        if scope["method"] == "OPTIONS":
            return await allow(headers, send)
        send = opened(send)
    if headers.get(b"x-amz-target") == POLL:
        return await poll(scope, receive, send)
    await emulator(scope, receive, send)


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


async def poll(scope, receive, send):
    """Ends with its answer, or when its caller has left."""
    events = [await receive()]
    while events[-1].get("more_body"):
        events.append(await receive())
    body = iter(events)

    async def read():
        return next(body, {"type": "http.disconnect"})

    answer = asyncio.ensure_future(emulator(scope, read, send))
    left = asyncio.ensure_future(receive())
    await asyncio.wait({answer, left}, return_when=asyncio.FIRST_COMPLETED)
    left.cancel()
    if answer.done():
        answer.result()
    answer.cancel()


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with, args=[int(os.environ["STARTED_BY"])], daemon=True).start()
ministack.app = app
ministack.main()
