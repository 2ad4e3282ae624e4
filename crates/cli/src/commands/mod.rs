//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;
pub mod create;
pub mod destroy;
pub mod mark_read;
pub mod messages;
pub mod notify;
pub mod presence;
pub mod renew;
pub mod status;
pub mod unread;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    #[command(after_long_help = cleanup::EXAMPLES)]
    Cleanup,
    /// Create a session, or refresh one: it gets new keys, and its former ones stop working.
    #[command(after_long_help = create::EXAMPLES)]
    Create(create::Create),
    /// End a session: delete its queue.
    #[command(after_long_help = destroy::EXAMPLES)]
    Destroy(destroy::Destroy),
    /// Mark messages of a user's history read.
    #[command(after_long_help = mark_read::EXAMPLES)]
    MarkRead(mark_read::MarkRead),
    /// Show a user's history, newest first.
    #[command(after_long_help = messages::EXAMPLES)]
    Messages(messages::Messages),
    /// Publish a message, or a list of up to 500, by HTTP.
    #[command(after_long_help = notify::EXAMPLES)]
    Notify(notify::Notify),
    /// Show the active sessions of an account or a user.
    #[command(after_long_help = presence::EXAMPLES)]
    Presence(presence::Presence),
    /// Give a session new access keys and a later end.
    #[command(after_long_help = renew::EXAMPLES)]
    Renew(renew::Renew),
    /// Show a session, or all.
    #[command(after_long_help = status::EXAMPLES)]
    Status(status::Status),
    /// Count the unread messages of a user.
    #[command(after_long_help = unread::EXAMPLES)]
    Unread(unread::Unread),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    let system = locate::of_this_release(&options.place).await?;
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Create(args) => create::run(args, &context).await,
        Command::Destroy(args) => destroy::run(args, &context).await,
        Command::MarkRead(args) => mark_read::run(args, &context).await,
        Command::Messages(args) => messages::run(args, &context).await,
        Command::Notify(args) => notify::run(args, &context).await,
        Command::Presence(args) => presence::run(args, &context).await,
        Command::Renew(args) => renew::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Unread(args) => unread::run(args, &context).await,
    }
}
