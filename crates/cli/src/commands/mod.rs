//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;
pub mod completions;
pub mod cost;
pub mod create;
pub mod decrypt;
pub mod destroy;
pub mod doctor;
pub mod failed;
pub mod listen;
pub mod load;
pub mod man;
pub mod mark_read;
pub mod messages;
pub mod notify;
pub mod presence;
pub mod purge;
pub mod put;
pub mod rejected;
pub mod remove_all;
pub mod renew;
pub mod status;
pub mod trace;
pub mod unread;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    #[command(after_long_help = cleanup::EXAMPLES)]
    Cleanup,
    /// Print completions for a shell.
    #[command(after_long_help = completions::EXAMPLES)]
    Completions(completions::Completions),
    /// Estimate what a scenario costs a month, here and with other services.
    #[command(after_long_help = cost::EXAMPLES)]
    Cost(cost::Cost),
    /// Create a session, or refresh one: it gets new keys, and its former ones stop working.
    #[command(after_long_help = create::EXAMPLES)]
    Create(create::Create),
    /// Decrypt the body of an SQS message.
    #[command(after_long_help = decrypt::EXAMPLES)]
    Decrypt(decrypt::Decrypt),
    /// End a session: delete its queue.
    #[command(after_long_help = destroy::EXAMPLES)]
    Destroy(destroy::Destroy),
    /// Check a system: what is wrong, and how to mend it.
    Doctor(doctor::Arguments),
    /// List, show, replay or drop work that the functions gave up.
    #[command(subcommand, after_long_help = failed::EXAMPLES)]
    Failed(failed::Failed),
    /// Print a session's messages as they come: poll, decrypt, renew, delete.
    #[command(after_long_help = listen::EXAMPLES)]
    Listen(listen::Listen),
    /// Load the system, and check exactly what every session receives.
    #[command(after_long_help = load::options::EXAMPLES)]
    Load(load::options::LoadArgs),
    /// Print the man page.
    #[command(after_long_help = man::EXAMPLES)]
    Man(man::Man),
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
    /// Delete the messages that wait in session queues.
    #[command(after_long_help = purge::EXAMPLES)]
    Purge(purge::Purge),
    /// Publish messages by the Kinesis stream, however many.
    #[command(after_long_help = put::EXAMPLES)]
    Put(put::Put),
    /// List, show, correct or drop messages that were rejected.
    #[command(subcommand, after_long_help = rejected::EXAMPLES)]
    Rejected(rejected::Rejected),
    /// Delete every session, queue and identity of an environment, before `sam delete`.
    #[command(after_long_help = remove_all::EXAMPLES)]
    RemoveAll(remove_all::RemoveAll),
    /// Give a session new access keys and a later end.
    #[command(after_long_help = renew::EXAMPLES)]
    Renew(renew::Renew),
    /// Show a session, or all.
    #[command(after_long_help = status::EXAMPLES)]
    Status(status::Status),
    /// Tell the story of a message: who got it, and if not, why not.
    Trace(trace::Trace),
    /// Count the unread messages of a user.
    #[command(after_long_help = unread::EXAMPLES)]
    Unread(unread::Unread),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    // What needs no system works without one.
    let command = match options.command {
        Command::Completions(args) => return completions::run(&args),
        Command::Cost(args) => return cost::run(&args, Output { json: options.json }),
        Command::Man(args) => return man::run(&args),
        Command::Load(args) if args.print_scenario => return load::print_scenario(),
        Command::Decrypt(args) if !args.needs_system() => return decrypt::run_alone(args, &interrupt).await,
        command => command,
    };
    let system = if matches!(command, Command::Doctor(_)) {
        locate::of_any_release(&options.place).await?
    } else {
        locate::of_this_release(&options.place).await?
    };
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Completions(args) => completions::run(&args),
        Command::Cost(args) => cost::run(&args, context.output),
        Command::Create(args) => create::run(args, &context).await,
        Command::Decrypt(args) => decrypt::run(args, &context).await,
        Command::Destroy(args) => destroy::run(args, &context).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &context).await,
        Command::Failed(command) => Box::pin(failed::run(command, &context)).await,
        Command::Listen(args) => listen::run(args, &context).await,
        Command::Load(args) => load::run(&args, &context).await,
        Command::Man(args) => man::run(&args),
        Command::MarkRead(args) => mark_read::run(args, &context).await,
        Command::Messages(args) => messages::run(args, &context).await,
        Command::Notify(args) => notify::run(args, &context).await,
        Command::Presence(args) => presence::run(args, &context).await,
        Command::Purge(args) => Box::pin(purge::run(args, &context)).await,
        Command::Put(args) => put::run(args, &context).await,
        Command::Rejected(command) => Box::pin(rejected::run(command, &context)).await,
        Command::RemoveAll(args) => Box::pin(remove_all::run(args, &context)).await,
        Command::Renew(args) => renew::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Trace(args) => Box::pin(trace::run(args, &context)).await,
        Command::Unread(args) => unread::run(args, &context).await,
    }
}
