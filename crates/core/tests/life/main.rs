//! Every interleaving of up to three calls on one session, explored, not sampled: with calls that die
//! or are given up anywhere, answers and calls that are lost, a session that ends meanwhile, the
//! table's stream and the cleanup. The code explored is the code that runs.
//!
//! `cargo test -p sbe-core --release --test life -- --nocapture` prints the states of each world. The
//! worlds that take minutes are left to `--ignored`.

mod explorer;
mod old_order;
mod world;

use explorer::explore;
use old_order::TagFirst;
use sbe_core::life::{Life, Wish};
use world::{LATE, Machine, OLD_QUEUE, World, create, initial_session, life, renew};

/// Each call may have a fault.
const ANY: u8 = u8::MAX;

fn nothing<M: Machine>() -> World<M> {
    World::new(Vec::new())
}

fn a_session<M: Machine>() -> World<M> {
    let mut world = nothing();
    let session = initial_session();
    world.queues.insert(OLD_QUEUE.into(), session.identity.id.clone());
    world.identities.insert(session.identity.id.clone());
    world.handed.insert(session.identity.id.clone());
    world.frame_keys.insert(session.aes_key.clone());
    world.table = Some(session);
    world
}

fn a_session_without_a_queue<M: Machine>() -> World<M> {
    let mut world = a_session();
    world.queues.clear();
    world
}

/// The calls that there are.
fn wishes() -> Vec<Wish> {
    vec![create(1), create(2), renew(None), Wish::Destroy]
}

/// All ways to choose `count` of these calls.
fn choices(wishes: &[Wish], count: usize) -> Vec<Vec<Wish>> {
    let mut choices = vec![Vec::new()];
    for _ in 0..count {
        choices = choices
            .iter()
            .flat_map(|chosen: &Vec<usize>| {
                let least = chosen.last().copied().unwrap_or(0);
                (least..wishes.len()).map(|next| [chosen.as_slice(), &[next]].concat())
            })
            .collect();
    }
    choices.iter().map(|chosen| chosen.iter().map(|index| wishes[*index].clone()).collect()).collect()
}

/// Explores a beginning with every choice of calls, and so many faults at most.
fn explore_all(beginning: &World<Life>, calls: usize, faults: u8) {
    explore_choices(beginning, &choices(&wishes(), calls), faults);
}

fn explore_choices(beginning: &World<Life>, choices: &[Vec<Wish>], faults: u8) {
    let (mut states, mut seconds) = (0, 0.0);
    let lacks_queue = beginning.table.is_some() && beginning.queues.is_empty();
    let can_mend = |wish: &Wish| matches!(wish, Wish::Create { .. });
    for wishes in choices {
        if lacks_queue && !wishes.iter().any(can_mend) {
            continue;
        }
        let world = beginning.clone().with(wishes.iter().map(life).collect(), faults);
        let found = explore(world);
        assert!(found.faults.is_empty(), "{wishes:?}: {:#?}", found.faults);
        states += found.states;
        seconds += found.seconds;
    }
    let calls = choices[0].len();
    println!("{calls} calls, {faults} faults at most: {states} states explored in {seconds:.1} s");
}

#[test]
fn two_calls_with_any_faults() {
    for beginning in [nothing(), a_session(), a_session_without_a_queue()] {
        explore_all(&beginning, 2, ANY);
    }
}

#[test]
fn three_calls_that_nothing_disturbs() {
    for beginning in [nothing(), a_session(), a_session_without_a_queue()] {
        explore_all(&beginning, 3, 0);
    }
}

/// The key of frames changes while other calls, and another change, are under way.
#[test]
fn rotations_with_any_faults() {
    let all = [wishes(), vec![renew(Some("k1")), renew(Some("k2"))]].concat();
    let mut choices = choices(&all, 2);
    choices.retain(|chosen| chosen.iter().any(|wish| matches!(wish, Wish::Renew { rotation: Some(_) })));
    explore_choices(&a_session(), &choices, ANY);
}

#[test]
fn three_calls_on_a_new_session_with_any_faults() {
    explore_all(&nothing(), 3, ANY);
}

#[test]
fn three_calls_on_a_session_with_a_fault() {
    explore_all(&a_session(), 3, 1);
}

#[test]
#[ignore = "takes minutes and 16 GB"]
fn three_calls_on_a_session_with_any_faults() {
    for beginning in [a_session(), a_session_without_a_queue()] {
        explore_all(&beginning, 3, ANY);
    }
}

/// The test of the tests: with the tag before the table, two calls are enough to break a session.
#[test]
fn the_old_order_of_steps_is_found_faulty() {
    let mut world = a_session().with(vec![TagFirst::Read; 2], 0);
    // One that does not end meanwhile, so that it is the calls that break it.
    world.table.iter_mut().for_each(|session| session.ttl = 2 * LATE);
    let found = explore(world);
    let names: Vec<&str> = found.faults.iter().map(|(name, _)| *name).collect();
    assert!(names.contains(&explorer::WORKS), "{names:?}");
    println!("the old order breaks a session by: {}", found.faults[0].1);
}
