//! The commands to paste: from a new session to a decrypted message.

use sbe_client::Stack;
use std::path::Path;

/// A tour of the system, as shell commands.
pub fn commands(stack: &Stack, dir: &Path) -> String {
    let Stack { endpoint, region, api_url, keys, stream, demo_url, .. } = stack;
    let page = demo_url.as_deref().unwrap_or("not served (--no-demo)");
    let dir = dir.display();
    let keys = format!("{}:{}", keys.access_key, keys.secret_key);
    format!(
        r#"page     {page}
API      {api_url}
stream   {stream}
keys     {keys}   (region {region})
state    {dir}/stack.json; function logs: make logs

Open the page, or paste these, one by one, into another terminal in this directory:

# 1. A session for user 7 of account 1: queue, keys and AES key
curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {keys} -X POST {api_url}/create/1/tab-1/7 | tee {dir}/session.json

# 2. A message to the user, by HTTP
curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {keys} -H 'content-type: application/json' -d '{{"text":"hello by HTTP"}}' {api_url}/notify/1/user/7

# 3. A message to everyone, by Kinesis
curl -s --aws-sigv4 aws:amz:{region}:kinesis --user {keys} -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: Kinesis_20131202.PutRecord' -d '{{"StreamName":"{stream}","PartitionKey":"1","Data":"'$(printf '{{"text":"hello by Kinesis"}}' | base64)'"}}' {endpoint}/

# 4. What a browser does: poll its queue with the session's own keys
session() {{ python3 -c "import json,sys; print(json.load(open('{dir}/session.json'))['session'][sys.argv[1]])" "$1"; }}
curl -s --aws-sigv4 aws:amz:{region}:sqs --user "$(session accessKey):$(session secretKey)" -H "x-amz-security-token: $(session sessionToken)" -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: AmazonSQS.ReceiveMessage' -d '{{"QueueUrl":"'$(session sqsUrl)'","MaxNumberOfMessages":10,"WaitTimeSeconds":20}}' {endpoint}/ | tee {dir}/messages.json

# 5. Decrypt, in Node or in Python
node docs/decrypt.mjs {dir}/session.json {dir}/messages.json
.local/venv/bin/python docs/decrypt.py {dir}/session.json {dir}/messages.json

# 6. The user's history
curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {keys} {api_url}/messages/user/7

Ctrl-C here stops everything.
"#
    )
}
