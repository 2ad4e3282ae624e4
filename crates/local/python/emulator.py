"""MiniStack, answering browsers as SQS does.

SQS lets any origin call it, names the headers that it takes, and lets pages read its refusals too.
MiniStack answers preflights with `*`, which does not cover Authorization by the Fetch standard, and
refuses calls without CORS headers, which hides from the page that its keys have expired. It also goes
on with a poll whose caller has left, and hands it the next message, which is then hidden for a while.
And the thread by which it expires items leaves no record of them in the table's stream: it removes
nothing here, where another program deletes them instead.

It retries and parks asynchronous invocations as their function's EventInvokeConfig says, but looks at that of
$LATEST alone: here it is that of the alias or version which was invoked. Reading one is an action of its own, too, as is reading a
function's reserved concurrency.

Its list of queues goes on from a number of queues, so that those are passed over which move up when others are deleted: here it
goes on from a name.

It looks at a stream when something is put, where Lambda looks once a second; KINESIS_POLL_SECONDS makes it do likewise.

It closes idle connections after 75 seconds, which clients keep for longer: here as late as API Gateway does.

It meters what AWS bills: GET /_billed answers the units since the start, by the access key that called.

It ends with the program that has started it, also when that one is killed.
"""

import asyncio
import base64
import collections
import json
import math
import os
import re
import signal
import threading
import time

import hypercorn.asyncio as server
import ministack.app as ministack
import ministack.core.iam_actions as actions
import ministack.services.dynamodb as dynamodb
import ministack.services.kinesis as kinesis
import ministack.services.lambda_svc as functions
import ministack.services.sqs as sqs

ENDPOINT = "/"  # every service but S3 and the HTTP API is called here
POLL = b"AmazonSQS.ReceiveMessage"
OPEN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]
# Seconds until an idle connection is closed, as API Gateway has it. Clients keep theirs for up to 300: one that is
# closed in the moment of a call loses that call.
IDLE = 310
emulator = ministack.app
serve = server.serve
remove_item = dynamodb._remove_item


def remove(*args):
    if threading.current_thread().name != "dynamodb-ttl-reaper":
        return remove_item(*args)


dynamodb._remove_item = remove
start = functions.invoke_async_with_retry


def start_as_configured(function, event):
    name, _, qualifier = function["config"]["FunctionArn"].partition(":function:")[2].partition(":")
    configs = functions._functions[name]["event_invoke_configs"]
    own = configs.get(qualifier or "$LATEST") or {}
    start({**function, "event_invoke_config": own}, event)


functions.invoke_async_with_retry = start_as_configured
action_of = actions._lambda_action


READS_OF_FUNCTIONS = {
    "event-invoke-config": "GetFunctionEventInvokeConfig",
    "concurrency": "GetFunctionConcurrency",
}


def action(method, path):
    read = READS_OF_FUNCTIONS.get(path.rpartition("/")[2]) if method == "GET" else None
    return read or action_of(method, path)


actions._lambda_action = action


def list_queues(data, _url):
    prefix, after, most = data.get("QueueNamePrefix", ""), data.get("NextToken", ""), data.get("MaxResults")
    named = sorted((queue["name"], url) for url, queue in sqs._queues.items())
    left = [(name, url) for name, url in named if name.startswith(prefix) and name > after]
    page = left[: int(most or 1000)]
    answer = {"QueueUrls": [url for _, url in page]}
    return answer | {"NextToken": page[-1][0]} if most and len(left) > len(page) else answer


sqs._HANDLERS["ListQueues"] = list_queues


def paced(look, seconds):
    """Looks once in each span of so many seconds, and finds then all that was put in it."""
    last = 0

    def looked():
        nonlocal last
        span = time.monotonic() // seconds
        if span > last:
            last = span
            return look()
        rest = (span + 1) * seconds - time.monotonic()
        threading.Timer(rest, functions._esm_wake.set).start()
        return False

    return looked


if pause := float(os.environ.get("KINESIS_POLL_SECONDS", 0)):
    functions._poll_kinesis = paced(functions._poll_kinesis, pause)

billed = collections.Counter()
metering = threading.Lock()


def bill(caller, unit, count=1):
    with metering:
        billed[caller, unit] += count


def caller_of(headers):
    """The access key of a signed call."""
    found = re.search(r"Credential=([^/]+)", headers.get("authorization", ""))
    return found[1] if found else ""


def meter_call(scope, headers):
    """Notes a call of an API, or of a service: SQS bills each 64 KB."""
    service, _, action = headers.get("x-amz-target", "").rpartition(".")
    if scope["path"].startswith("/restapis/"):
        bill(caller_of(headers), "apigateway.request")
    elif service == "AmazonSQS":
        chunks = math.ceil(int(headers.get("content-length", 0)) / 65536)
        bill(caller_of(headers), f"sqs.{action}", max(1, chunks))


READS = ("GetItem", "BatchGetItem", "Query", "Scan")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def meter_dynamodb(handle):
    """Notes the units that a call consumes, indexes included, which DynamoDB tells if it is asked to."""

    async def metered(method, path, headers, body, query):
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in READS + WRITES:
            return await handle(method, path, headers, body, query)
        asked = json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode()
        answer = await handle(method, path, headers, asked, query)
        consumed = json.loads(answer[2] or b"{}").get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(table.get("CapacityUnits", 0) for table in tables)
        bill(caller_of(headers), "dynamodb.read" if action in READS else "dynamodb.write", units)
        return answer

    return metered


def meter_kinesis(handle):
    """Notes the payload units of puts: each 25 KB of a record."""

    async def metered(method, path, headers, body, query):
        if headers.get("x-amz-target", "").endswith((".PutRecord", ".PutRecords")):
            data = json.loads(body)
            sizes = [len(base64.b64decode(record["Data"])) for record in data.get("Records", [data])]
            bill(caller_of(headers), "kinesis.unit", sum(math.ceil(size / 25600) for size in sizes))
        return await handle(method, path, headers, body, query)

    return metered


def meter_function(log):
    """Notes an invocation and what it logs, where it is logged."""

    def metered(function, request, text, *args, **kwargs):
        name = (function.get("config") or function)["FunctionName"].partition("-sqs-browser-")[2]
        bill("", f"lambda.{name}")
        bill("", f"log.{name}", len(text or ""))
        return log(function, request, text, *args, **kwargs)

    return metered


dynamodb.handle_request = meter_dynamodb(dynamodb.handle_request)
kinesis.handle_request = meter_kinesis(kinesis.handle_request)
functions._emit_lambda_logs = meter_function(functions._emit_lambda_logs)


async def answer_billed(send):
    with metering:
        units = [{"caller": caller, "unit": unit, "count": count} for (caller, unit), count in billed.items()]
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    await send(head)
    await send({"type": "http.response.body", "body": json.dumps(units).encode()})


async def app(scope, receive, send):
    if scope["type"] == "http" and scope["path"] == "/_billed":
        return await answer_billed(send)
    if scope["type"] == "http" and scope["method"] != "OPTIONS":
        meter_call(scope, {name.decode(): value.decode() for name, value in scope["headers"]})
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


def serve_patiently(served, config):
    config.keep_alive_timeout = IDLE
    return serve(served, config)


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with, args=[int(os.environ["STARTED_BY"])], daemon=True).start()
ministack.app = app
server.serve = serve_patiently
ministack.main()
