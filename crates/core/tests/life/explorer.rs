//! What can happen next in a world, and what must hold whenever nothing more happens.

use crate::world::{
    Caller, Fault, LATE, Machine, OLD_QUEUE, World, changes_what_others_see, concerns_nobody_else, create,
    life, renew,
};
use sbe_core::life::{Life, Wish};
use stateright::{Checker, Model, Property};
use std::time::Instant;

/// The first thing that must hold.
pub(crate) const WORKS: &str = "what is stored works, and nothing else is left";

/// All that may come of a world.
#[derive(Debug, Clone)]
pub(crate) struct Explorer<M> {
    pub(crate) init: World<M>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// The next step of a call, with those that follow and concern nobody else.
    Step(usize),
    /// The next step of a call is done, and its answer is lost.
    AnswerLost(usize),
    /// The next step of a call is lost on its way.
    CallLost(usize),
    /// The process of a call dies, after so many of the steps that [`Action::Step`] takes at once.
    DieAfter(usize, usize),
    /// A call's time has come.
    GiveUp(usize),
    /// Time passes the end of the initial session.
    Later,
    /// DynamoDB removes an ended session.
    Expire,
    /// The stream's processor handles a record.
    Process,
    /// The cleanup deletes the initial session's queue, which nobody owns any more.
    CleanUp,
}

impl<M: Machine> Model for Explorer<M> {
    type State = World<M>;
    type Action = Action;

    fn init_states(&self) -> Vec<World<M>> {
        vec![self.init.clone()]
    }

    fn actions(&self, world: &World<M>, actions: &mut Vec<Action>) {
        for (index, caller) in world.callers.iter().enumerate() {
            let Caller::Running(running) = caller else { continue };
            if !running.has_begun {
                if self.may_begin(world, index) {
                    actions.push(Action::Step(index));
                }
                continue;
            }
            actions.push(Action::Step(index));
            if world.faults_left == 0 {
                continue;
            }
            if running.fault == Fault::None {
                if changes_what_others_see(&running.step()) {
                    actions.extend([Action::AnswerLost(index), Action::CallLost(index)]);
                }
                actions.extend((0..=steps_at_once(world, index)).map(|steps| Action::DieAfter(index, steps)));
            }
            if running.fault != Fault::GivenUp && running.has_leftovers() {
                actions.push(Action::GiveUp(index));
            }
        }
        if world.now < LATE && world.table.as_ref().is_some_and(|session| session.ttl < LATE) {
            actions.push(Action::Later);
        }
        if world.table.as_ref().is_some_and(|session| !session.is_active(world.now)) {
            actions.push(Action::Expire);
        }
        if !world.stream.is_empty() {
            actions.push(Action::Process);
        }
        if world.has_unowned_old_queue() {
            actions.push(Action::CleanUp);
        }
    }

    fn next_state(&self, world: &World<M>, action: Action) -> Option<World<M>> {
        let mut world = world.clone();
        match action {
            Action::Step(caller) => world.act(caller),
            Action::AnswerLost(caller) => world.lose_answer(caller, true),
            Action::CallLost(caller) => world.lose_answer(caller, false),
            Action::DieAfter(caller, steps) => {
                for _ in 0..steps {
                    world.act_once(caller);
                }
                world.die(caller);
            }
            Action::GiveUp(caller) => world.give_up(caller),
            Action::Later => world.now = LATE,
            Action::Expire => world.change(None),
            Action::Process => world.process(),
            Action::CleanUp => drop(world.queues.remove(OLD_QUEUE)),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(WORKS, |_, world| {
                !has_settled(world) || world.any_was_cut_short || works(world)
            }),
            Property::always("every key of frames that may wait is stored", |_, world: &World<M>| {
                world.table.as_ref().is_none_or(|session| {
                    let previous = session.previous.as_ref().map(|previous| &previous.aes_key);
                    world.frame_keys.iter().all(|key| *key == session.aes_key || Some(key) == previous)
                })
            }),
            Property::always("somebody has keys of what is stored", |_, world| {
                let handed = |world: &World<M>| {
                    world.table.as_ref().is_none_or(|session| world.handed.contains(&session.identity.id))
                };
                !has_settled(world) || world.any_was_cut_short || handed(world)
            }),
            Property::always("the next /create heals what was cut short", |_, world| {
                !has_settled(world) || works(&healed(world, &create(1)))
            }),
            // Without a queue it says that the session is not found, and /create makes it anew.
            Property::always("the next /renew heals what was cut short", |_, world: &World<M>| {
                let has_queue = world.table.as_ref().is_none_or(|it| world.queues.contains_key(&it.sqs_url));
                !has_settled(world) || !has_queue || works(&healed(world, &renew(None)))
            }),
        ]
    }
}

/// Whether all calls have ended and the stream is empty.
fn has_settled<M: Machine>(world: &World<M>) -> bool {
    (0..world.callers.len()).all(|caller| !world.is_running(caller)) && world.stream.is_empty()
}

impl<M: Machine> Explorer<M> {
    /// Calls that want the same begin in order: any other order is the same story with other names.
    fn may_begin(&self, world: &World<M>, caller: usize) -> bool {
        let wishes_the_same = |other: &usize| self.init.callers[*other] == self.init.callers[caller];
        (0..caller).filter(wishes_the_same).all(|other| match &world.callers[other] {
            Caller::Running(running) => running.has_begun,
            Caller::Ended => true,
        })
    }
}

/// How many steps [`Action::Step`] takes before its last one.
fn steps_at_once<M: Machine>(world: &World<M>, caller: usize) -> usize {
    let mut ahead = world.clone();
    let mut steps = 0;
    loop {
        ahead.act_once(caller);
        match &ahead.callers[caller] {
            Caller::Running(running) if concerns_nobody_else(&running.step()) => steps += 1,
            _ => return steps,
        }
    }
}

/// Whether the stored session's queue exists and is tagged with the stored identity, which lives,
/// and no other identity is left.
fn works<M: Machine>(world: &World<M>) -> bool {
    let stored = world.table.as_ref();
    let is_whole = stored.is_none_or(|session| {
        let identity = &session.identity.id;
        world.queues.get(&session.sqs_url) == Some(identity) && world.identities.contains(identity)
    });
    is_whole && world.identities.iter().all(|id| stored.is_some_and(|session| session.identity.id == *id))
}

/// The world after one further call that nothing disturbs.
fn healed<M: Machine>(world: &World<M>, wish: &Wish) -> World<Life> {
    let mut after = World::new(vec![life(wish)]);
    (after.now, after.table) = (world.now, world.table.clone());
    (after.queues, after.identities) = (world.queues.clone(), world.identities.clone());
    rename(&mut after);
    while after.is_running(0) {
        after.act(0);
    }
    while !after.stream.is_empty() {
        after.process();
    }
    after
}

/// Gives what is there names that the new call does not give.
fn rename(world: &mut World<Life>) {
    let renamed = |name: &String| format!("{}9{}", &name[..1], name);
    world.queues = world.queues.iter().map(|(url, tag)| (renamed(url), renamed(tag))).collect();
    world.identities = world.identities.iter().map(renamed).collect();
    if let Some(session) = &mut world.table {
        session.sqs_url = renamed(&session.sqs_url);
        session.identity.id = renamed(&session.identity.id);
    }
}

/// What an exploration found.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) seconds: f64,
    /// The names of the properties that do not hold, with the way there.
    pub(crate) faults: Vec<(&'static str, String)>,
}

// The clock is for the report only.
#[allow(clippy::disallowed_methods)]
pub(crate) fn explore<M>(init: World<M>) -> Found
where
    M: Machine + Send + Sync + 'static,
{
    let start = Instant::now();
    let checker = Explorer { init }.checker().threads(2).spawn_bfs().join();
    let faults = checker.discoveries().into_iter().map(|(name, path)| {
        (name, path.into_actions().iter().map(|action| format!("{action:?}")).collect::<Vec<_>>().join(", "))
    });
    Found {
        states: checker.unique_state_count(),
        faults: faults.collect(),
        seconds: start.elapsed().as_secs_f64(),
    }
}
