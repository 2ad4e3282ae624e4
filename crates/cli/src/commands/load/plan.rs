//! What is published when, by which way and to whom: decided by the scenario and its seed alone.

use super::{
    population::{Keys, Member, Population, number},
    scenario::{Mix, Publish, Scenario},
};
use fastrand::Rng;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// A way to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// POST /notify.
    Http,
    /// `PutRecords`.
    Kinesis,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Everyone.
    Broadcast,
    /// An account.
    Account,
    /// A user.
    User,
    /// A session.
    Session,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http, Self::Kinesis];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Kinesis => "Kinesis",
        }
    }
}

impl Kind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Broadcast, Self::Account, Self::User, Self::Session];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broadcast => "everyone",
            Self::Account => "account",
            Self::User => "user",
            Self::Session => "session",
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Its routing keys.
    pub keys: Keys,
    /// Bytes of its JSON text.
    pub bytes: u32,
    /// Whether no history keeps it.
    pub sqs_only: bool,
    /// Its call, a place in the plan.
    pub call: u32,
}

impl Message {
    /// Whom it is for.
    pub fn kind(&self) -> Kind {
        match self.keys {
            Keys { name: Some(_), .. } => Kind::Session,
            Keys { user: Some(_), .. } => Kind::User,
            Keys { account: Some(_), .. } => Kind::Account,
            _ => Kind::Broadcast,
        }
    }
}

/// A call: consecutive messages, due at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// How it is made.
    pub way: Way,
    /// When it is due, after the first.
    pub due: Duration,
    /// Its first message.
    pub first: usize,
    /// How many messages it has.
    pub len: usize,
}

/// Everything that a run does.
#[derive(Debug)]
pub struct Plan {
    /// The sessions.
    pub population: Population,
    /// The messages, by number.
    pub messages: Vec<Message>,
    /// The calls, in order of time.
    pub calls: Vec<Call>,
    /// Deliveries that the messages make: each to each session that it is for.
    pub deliveries: u64,
}

impl Plan {
    /// The plan of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let mut rng = Rng::with_seed(scenario.seed);
        let population = Population::new(&scenario.sessions, &mut rng);
        let mut plan = Self { population, messages: Vec::new(), calls: Vec::new(), deliveries: 0 };
        let publish = &scenario.publish;
        // It ends: every message is for one session at least.
        while !plan.is_complete(publish) {
            plan.add_call(publish, scenario.mix, &mut rng);
        }
        plan
    }

    fn due(&self, publish: &Publish) -> Duration {
        Duration::from_secs_f64(f64::from(number(self.messages.len())) / publish.rate)
    }

    fn is_complete(&self, publish: &Publish) -> bool {
        match publish.duration {
            Some(duration) => self.due(publish) >= duration,
            None => self.deliveries >= publish.deliveries,
        }
    }

    fn add_call(&mut self, publish: &Publish, mix: Mix, rng: &mut Rng) {
        let way = if rng.f64() < publish.http { Way::Http } else { Way::Kinesis };
        let (due, first, call) = (self.due(publish), self.messages.len(), number(self.calls.len()));
        while self.messages.len() < first + publish.batch
            && (self.messages.len() == first || !self.is_complete(publish))
        {
            let keys = keys(&self.population, mix, rng);
            let [least, most] = publish.bytes.map(number);
            let (bytes, sqs_only) = (rng.u32(least..=most), rng.f64() < publish.sqs_only);
            self.deliveries += self.population.audience(keys).count() as u64;
            self.messages.push(Message { keys, bytes, sqs_only, call });
        }
        self.calls.push(Call { way, due, first, len: self.messages.len() - first });
    }

    /// The call of a message.
    pub fn call_of(&self, n: usize) -> &Call {
        &self.calls[self.messages[n].call as usize]
    }

    /// How long publishing takes.
    pub fn duration(&self) -> Duration {
        self.calls.last().map(|call| call.due).unwrap_or_default()
    }

    /// Whether any message is for everyone.
    pub fn has_broadcasts(&self) -> bool {
        self.messages.iter().any(|message| message.kind() == Kind::Broadcast)
    }

    /// The same for the same sessions, messages, targets, sizes and times, whatever the name of the run.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.population.members));
        for call in &self.calls {
            hash.update(format!("{call:?}{:?}", &self.messages[call.first..call.first + call.len]));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn keys(population: &Population, mix: Mix, rng: &mut Rng) -> Keys {
    let member = population.members[rng.usize(..population.members.len())];
    let Member { account, name, user } = member;
    match kind(mix, rng) {
        Kind::Broadcast => Keys::default(),
        Kind::Account => Keys { account: Some(account), ..Keys::default() },
        // The user of a session, so that users with more sessions get more.
        Kind::User => {
            let user = user.or_else(|| (population.users > 0).then(|| rng.u32(..population.users)));
            let narrow = rng.bool() && member.user.is_some();
            // Where there are no users at all, the session's account stands in.
            let account = (narrow || user.is_none()).then_some(account);
            Keys { account, user, name: None }
        }
        Kind::Session => match rng.u8(..4) {
            0 => Keys { account: None, user: None, name: Some(name) },
            1 => Keys { account: Some(account), user, name: Some(name) },
            _ => Keys { account: Some(account), user: None, name: Some(name) },
        },
    }
}

fn kind(mix: Mix, rng: &mut Rng) -> Kind {
    let weights = [mix.broadcast, mix.account, mix.user, mix.session];
    let mut at = rng.f64() * weights.iter().sum::<f64>();
    let chosen = weights.iter().position(|weight| {
        at -= weight;
        at < 0.0
    });
    // Rounding may leave a little over: the last that has a weight.
    let last = weights.iter().rposition(|weight| *weight > 0.0);
    Kind::ALL[chosen.or(last).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::{super::scenario, *};

    fn plan(flags: &str) -> Plan {
        Plan::new(&scenario::read(None, flags.parse().unwrap()).unwrap().scenario)
    }

    #[test]
    fn a_seed_repeats_everything_and_another_one_nothing() {
        let (one, again, other) = (plan("seed = 5"), plan("seed = 5"), plan("seed = 6"));
        assert_eq!((&one.messages, &one.calls), (&again.messages, &again.calls));
        assert_eq!(one.fingerprint(), again.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn the_number_of_deliveries_ends_it() {
        let plan = plan("[publish]\ndeliveries = 1000");
        let made: usize =
            plan.messages.iter().map(|message| plan.population.audience(message.keys).count()).sum();
        assert_eq!(made as u64, plan.deliveries);
        let last = plan.population.audience(plan.messages.last().unwrap().keys).count() as u64;
        assert!(plan.deliveries >= 1000 && plan.deliveries - last < 1000);
    }

    #[test]
    fn the_duration_ends_it_and_calls_are_due_at_the_rate() {
        let plan = plan("[publish]\nduration = \"30s\"\nrate = 10\nbatch = 5");
        assert_eq!(plan.messages.len(), 300);
        assert_eq!(plan.calls.len(), 60);
        assert_eq!(plan.calls[7].due, Duration::from_millis(3500));
        assert!(plan.calls.iter().all(|call| call.len == 5));
    }

    #[test]
    fn every_kind_and_way_is_there_as_often_as_the_mix_says() {
        let plan = plan("[publish]\nduration = \"10m\"\nbatch = 5\nrate = 20");
        let of = |kind| plan.messages.iter().filter(|message| message.kind() == kind).count();
        let all = plan.messages.len();
        assert!((of(Kind::Broadcast) * 100 / all).abs_diff(5) <= 1, "{}", of(Kind::Broadcast));
        assert!((of(Kind::User) * 100 / all).abs_diff(40) <= 2);
        let http = plan.calls.iter().filter(|call| call.way == Way::Http).count();
        assert!((http * 100 / plan.calls.len()).abs_diff(50) <= 5);
    }

    #[test]
    fn without_users_the_messages_for_users_go_to_accounts() {
        let plan =
            plan("[sessions]\nwithout_user = 1.0\n[mix]\nbroadcast = 0\naccount = 0\nuser = 1\nsession = 0");
        assert!(plan.messages.iter().all(|message| message.kind() == Kind::Account));
    }

    #[test]
    fn the_members_of_a_kind_have_its_keys() {
        let plan = plan("[mix]\nbroadcast = 0");
        assert!(!plan.has_broadcasts());
        assert!(plan.messages.iter().all(|message| plan.population.audience(message.keys).count() > 0));
    }
}
