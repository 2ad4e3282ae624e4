//! The commands to paste: from a new session to a decrypted message.

use crate::options::DEFAULT_DIR;
use sbe_client::Stack;
use std::path::Path;

/// A tour of the system, as shell commands.
pub fn commands(stack: &Stack, dir: &Path) -> String {
    let Stack { region, api_url, keys, stream, demo_url, .. } = stack;
    let page = demo_url.as_deref().unwrap_or("not served (--no-demo)");
    // `sbe` finds the system of the default directory by itself.
    let elsewhere = dir != Path::new(DEFAULT_DIR);
    let found =
        if elsewhere { format!("export SBE_STACK={}/stack.json\n\n", dir.display()) } else { String::new() };
    let dir = dir.display();
    let keys = format!("{}:{}", keys.access_key, keys.secret_key);
    format!(
        r#"page     {page}
API      {api_url}
stream   {stream}
keys     {keys}   (region {region})
state    {dir}/stack.json; function logs: make logs

Open the page, or paste these, one by one, into another terminal in this directory:

{found}# 1. A session for user 7 of account 1: queue, keys and AES key
target/debug/sbe create 1 tab-1 --user 7

# 2. A message to the user, by HTTP
target/debug/sbe notify --account 1 --user 7 '{{"text":"hello by HTTP"}}'

# 3. A message to everyone, by Kinesis
target/debug/sbe put '{{"text":"hello by Kinesis"}}'

# 4. What a browser does: poll its queue with the session's own keys, decrypt, delete
target/debug/sbe listen 1 tab-1 --count 2

# 5. The user's history
target/debug/sbe messages 7

# What your backend does: sign its calls by itself
curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {keys} -H 'content-type: application/json' -d '{{"text":"hello by curl"}}' {api_url}/notify/1/user/7

Ctrl-C here stops everything.
"#
    )
}
