//! Parts of a lookup: what one reader reads, page by page, from where it stands.
//!
//! Few sessions are read in place. Many are shared out: a scan by its segments, an account by ranges of
//! its session ids. Whoever has no time for the rest of a part hands it on as it stands, so that no page
//! is read twice and none is left out.

use crate::{id::SessionId, route::Lookup, session::Cursor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// About so many sessions are in a segment of a large scan: some six pages of 1 MB.
const SEGMENT_SESSIONS: u64 = 25_000;

/// A table of few sessions is scanned in so many segments, in place.
pub const FEW_SEGMENTS: u32 = 4;

/// A reader takes at most so many segments; a larger part is shared out.
const SEGMENTS_A_READER: u32 = 8;

/// A part is shared out into at most so many parts at a time.
const MAX_SHARES: u32 = 64;

/// The rest of an account is shared out into so many ranges each time.
const RANGES: u64 = 4;

/// `DynamoDB` divides a scan into at most so many segments.
const MAX_SEGMENTS: u64 = 1_000_000;

/// A part of a lookup, from where its reading stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Part {
    /// What is looked up.
    pub lookup: Lookup,
    /// Of everyone: which segments of the scan, one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Segments>,
    /// Of an account: up to the session with this id, and not beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<SessionId>,
    /// After this session, in the first segment if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// Segments of a parallel scan: from one up to, without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segments {
    /// The first one.
    pub from: u32,
    /// The one after the last.
    pub to: u32,
    /// How many there are in the whole scan.
    pub total: u32,
}

impl Segments {
    /// The segments of a scan of about so many sessions. An unknown number is taken for a small one: what
    /// turns out to be too much for one reader is handed on.
    ///
    /// ```
    /// use sbe_core::part::Segments;
    /// assert_eq!(Segments::for_sessions(None).total, 4);
    /// assert_eq!(Segments::for_sessions(Some(1_000_000)).total, 40);
    /// ```
    pub fn for_sessions(sessions: Option<u64>) -> Self {
        let wanted = sessions.unwrap_or_default().div_ceil(SEGMENT_SESSIONS).min(MAX_SEGMENTS);
        let total = u32::try_from(wanted).map_or(FEW_SEGMENTS, |wanted| wanted.max(FEW_SEGMENTS));
        Self { from: 0, to: total, total }
    }

    /// Whether they are few enough to be read in place.
    pub fn are_few(self) -> bool {
        self.total <= FEW_SEGMENTS
    }

    fn count(self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// At most `shares` parts of about the same size, in order.
    fn divide(self, shares: u32) -> impl Iterator<Item = Self> {
        let (count, total) = (u64::from(self.count()), self.total);
        let shares = shares.clamp(1, self.count().max(1));
        let bound = move |share: u32| {
            let offset = count * u64::from(share) / u64::from(shares);
            self.from + u32::try_from(offset).unwrap_or(u32::MAX)
        };
        (0..shares).map(move |share| Self { from: bound(share), to: bound(share + 1), total })
    }

    fn is_valid(self) -> bool {
        self.from < self.to && self.to <= self.total && u64::from(self.total) <= MAX_SEGMENTS
    }
}

impl Part {
    /// All of a lookup that is not of everyone.
    pub fn of(lookup: Lookup) -> Self {
        Self { lookup, segments: None, up_to: None, after: None }
    }

    /// Everyone, or those in some segments.
    pub fn everyone(segments: Segments) -> Self {
        Self { segments: Some(segments), ..Self::of(Lookup::All) }
    }

    /// What is left after a page that ended at `next`; `None` when nothing is.
    pub fn after_page(self, next: Option<Cursor>) -> Option<Self> {
        if next.is_some() {
            return Some(Self { after: next, ..self });
        }
        let Segments { from, to, total } = self.segments?;
        let segments = Some(Segments { from: from + 1, to, total });
        (from + 1 < to).then_some(Self { segments, after: None, ..self })
    }

    /// The parts that other readers are to take, if this one is too large for one reader.
    pub fn shares(&self) -> Option<Vec<Self>> {
        let segments = self.segments.filter(|segments| segments.count() > SEGMENTS_A_READER)?;
        Some(self.divided(segments.count().div_ceil(SEGMENTS_A_READER).min(MAX_SHARES)))
    }

    /// The parts that one reader reads at the same time.
    pub fn lanes(&self) -> Vec<Self> {
        if self.segments.is_some() { self.divided(FEW_SEGMENTS) } else { vec![self.clone()] }
    }

    fn divided(&self, shares: u32) -> Vec<Self> {
        let share = |(index, segments)| {
            let after = self.after.clone().filter(|_| index == 0);
            Self { segments: Some(segments), after, ..self.clone() }
        };
        self.segments
            .into_iter()
            .flat_map(|segments| segments.divide(shares))
            .enumerate()
            .map(share)
            .collect()
    }

    /// The rest of an account as ranges of session ids; `last` is the last id of the account.
    ///
    /// Ids are taken for evenly spread between the one that was read last and `last`. Where they are
    /// not, the next reader of a range that is still too large divides that range again.
    pub fn ranges(&self, last: &SessionId) -> Vec<Self> {
        let Some(after) = &self.after else { return vec![self.clone()] };
        let up_to = self.up_to.as_ref().filter(|up_to| *up_to < last).unwrap_or(last);
        let mut ranges = Vec::new();
        let mut start = after.clone();
        for bound in bounds(after.session.as_str(), up_to.as_str()) {
            let end = Cursor { session: bound.clone(), ..start.clone() };
            ranges.push(Self { up_to: Some(bound), after: Some(start), ..self.clone() });
            start = end;
        }
        // The last range ends as this part does: a session that is made meanwhile is in it.
        ranges.push(Self { after: Some(start), ..self.clone() });
        ranges
    }

    /// Whether it is one that this program could have made.
    pub fn is_valid(&self) -> bool {
        let is_scan = self.lookup == Lookup::All;
        let is_of_account = matches!(self.lookup, Lookup::Account(_));
        is_scan == self.segments.is_some()
            && self.segments.is_none_or(Segments::is_valid)
            && (is_of_account || self.up_to.is_none())
    }
}

/// Ids that divide those between two others evenly: fewer than [`RANGES`], ascending, between both.
fn bounds(low: &str, high: &str) -> Vec<SessionId> {
    let common: String = low.chars().zip(high.chars()).take_while(|(l, h)| l == h).map(|(l, _)| l).collect();
    let (low_rest, high_rest) = (&low[common.len()..], &high[common.len()..]);
    let alphabet = Alphabet::of(low_rest, high_rest);
    let from = alphabet.number(low_rest);
    let Some(width) = alphabet.number(high_rest).checked_sub(from) else { return Vec::new() };
    let mut bounds: Vec<SessionId> = (1..RANGES)
        .filter_map(|n| SessionId::parse(common.clone() + &alphabet.text(from + width / RANGES * n)).ok())
        .filter(|id| low < id.as_str() && id.as_str() < high)
        .collect();
    bounds.dedup();
    bounds
}

/// The characters that ids of a form are made of, in order. It is guessed from two of them: who uses some
/// digits, or letters up to `f`, or letters beyond, uses all of these.
struct Alphabet(Vec<char>);

impl Alphabet {
    /// So many characters of a text count: 600 different ones, more than two ids have, still fit.
    const PLACES: u32 = 6;

    fn of(one: &str, other: &str) -> Self {
        let seen: BTreeSet<char> = one.chars().chain(other.chars()).collect();
        let classes = [('0', '9'), ('A', 'F'), ('G', 'Z'), ('a', 'f'), ('g', 'z')];
        let mut all = seen.clone();
        for (first, last) in classes {
            // Whoever uses the letters beyond `f` uses those before as well.
            let reach = if last == 'F' {
                'Z'
            } else if last == 'f' {
                'z'
            } else {
                last
            };
            if seen.range(first..=reach).next().is_some() {
                all.extend(first..=last);
            }
        }
        Self(all.into_iter().collect())
    }

    fn base(&self) -> u64 {
        self.0.len() as u64 + 1
    }

    /// The first characters as a number that is ordered as texts are; the end of a text is zero.
    fn number(&self, text: &str) -> u64 {
        let rank = |char: char| self.0.binary_search(&char).map_or(0, |rank| rank as u64 + 1);
        let mut chars = text.chars();
        (0..Self::PLACES).fold(0, |number, _| number * self.base() + chars.next().map_or(0, rank))
    }

    /// The text with this number.
    fn text(&self, number: u64) -> String {
        let digit = |place: u32| number / self.base().pow(place) % self.base();
        let char =
            |digit: u64| usize::try_from(digit).ok().and_then(|digit| self.0.get(digit.checked_sub(1)?));
        (0..Self::PLACES).rev().map_while(|place| char(digit(place))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AccountId;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    fn id(text: &str) -> SessionId {
        SessionId::parse(text).unwrap()
    }

    fn account(after: &str, up_to: Option<&str>) -> Part {
        let after = Some(Cursor { account: AccountId::from(1), session: id(after) });
        let up_to = up_to.map(id);
        Part { lookup: Lookup::Account(AccountId::from(1)), segments: None, up_to, after }
    }

    fn scan(segments: Segments) -> Part {
        Part::everyone(segments)
    }

    fn contains(part: &Part, session: &SessionId) -> bool {
        part.after.as_ref().is_none_or(|after| after.session < *session)
            && part.up_to.as_ref().is_none_or(|up_to| session <= up_to)
    }

    /// Every share of a part, down to those that one reader reads, and how deep they are.
    fn readers(part: Part, depth: u32) -> Vec<(Part, u32)> {
        match part.shares() {
            Some(shares) => shares.into_iter().flat_map(|share| readers(share, depth + 1)).collect(),
            None => vec![(part, depth)],
        }
    }

    #[test]
    fn a_hundred_million_sessions_are_shared_out_in_two_steps() {
        let readers = readers(scan(Segments::for_sessions(Some(100_000_000))), 0);
        assert_eq!(readers.iter().map(|(_, depth)| *depth).max(), Some(2));
        assert!(readers.len() <= 1000, "{}", readers.len());
    }

    #[test]
    fn segments_are_read_one_after_another() {
        let cursor = || Cursor { account: AccountId::from(1), session: id("s") };
        let part = scan(Segments { from: 1, to: 3, total: 4 });
        let part = part.after_page(Some(cursor())).unwrap();
        assert_eq!((part.segments.unwrap().from, part.after.is_some()), (1, true));
        let part = part.after_page(None).unwrap();
        assert_eq!((part.segments.unwrap().from, part.after.is_some()), (2, false));
        assert_eq!(part.after_page(None), None);
    }

    #[test]
    fn ids_of_one_form_are_divided_evenly() {
        let spread = |n: u32| n.wrapping_mul(0x9e37_79b9);
        let forms: [fn(u32) -> String; 4] = [
            |n| format!("{n:08x}-4b6c-9e2f"),
            |n| format!("{n:08X}"),
            |n| format!("tab-{n:010}"),
            |n| {
                URL_SAFE_NO_PAD
                    .encode((0..8).flat_map(|i| n.wrapping_mul(2 * i + 1).to_be_bytes()).collect::<Vec<u8>>())
            },
        ];
        for form in forms {
            let mut ids: Vec<SessionId> = (0..4096).map(|n| id(&form(spread(n)))).collect();
            ids.sort_unstable();
            let ranges = account(ids[9].as_str(), None).ranges(&ids[4095]);
            assert_eq!(ranges.len(), 4);
            let largest =
                ranges.iter().map(|range| ids.iter().filter(|id| contains(range, id)).count()).max();
            assert!(largest.unwrap() < 1400, "{largest:?} of 4096 are in one range: {}", form(1));
        }
    }

    #[test]
    fn what_no_dispatcher_makes_is_not_valid() {
        let good = scan(Segments { from: 0, to: 1, total: 1 });
        assert!(good.is_valid() && account("a", Some("b")).is_valid());
        for bad in [
            scan(Segments { from: 1, to: 1, total: 1 }),
            scan(Segments { from: 0, to: 2, total: 1 }),
            Part { segments: None, ..good.clone() },
            Part { up_to: Some(id("a")), ..good },
            Part { segments: Some(Segments { from: 0, to: 1, total: 1 }), ..account("a", None) },
        ] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_segment_has_one_reader(sessions in 0u64..300_000_000) {
            let whole = Segments::for_sessions(Some(sessions));
            let mut next = 0;
            for (part, depth) in readers(scan(whole), 0) {
                prop_assert!(depth <= 3);
                for lane in part.lanes() {
                    prop_assert!(lane.is_valid());
                    let segments = lane.segments.unwrap();
                    prop_assert_eq!(segments.from, next);
                    next = segments.to;
                }
            }
            prop_assert_eq!(next, whole.total);
        }

        #[test]
        fn every_session_of_an_account_is_in_one_range(
            after in "\\PC{1,4}", last in "\\PC{1,4}", session in "\\PC{1,4}", up_to in prop::option::of("\\PC{1,4}"),
        ) {
            let part = account(&after, up_to.as_deref());
            let session = id(&session);
            let found = part.ranges(&id(&last)).iter().filter(|range| contains(range, &session)).count();
            prop_assert_eq!(found, usize::from(contains(&part, &session)));
        }
    }
}
