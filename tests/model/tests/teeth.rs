//! A model with one rule wrong is told apart from the library, so the comparison can see what it is there for.

use reference_model::flaw::Flaw;
use reference_model::function::Outcome;
use reference_model::history::{Force, History, OPERATION, Operation, Reload, SETTING, Setting};
use reference_model::play::play;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// So many histories are enough for each.
const ENOUGH: u32 = 6_000;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn history(&mut self) -> History {
        let operations = usize::try_from(self.roll() % 90).unwrap_or_default();
        let mut bytes: Vec<u8> = (0..SETTING + OPERATION * operations).map(|_| self.roll().to_le_bytes()[0]).collect();
        // One policy alone, any of them, or none.
        bytes[0] &= [0b11, 0b101, 0b1001, 0b10001, 0xff, 0xff, 0xff, 1][usize::from(bytes[0] / 32)];
        History::of(&bytes)
    }
}

/// What chance seldom comes to: an attempt that begins late and is stopped by the deadline.
fn stopped_late() -> History {
    const MILLI: u64 = 1_000_000;
    // A breaker alone.
    let mut setting = History::of(&[2]).setting;
    setting.function.retries = 1;
    (setting.function.base_delay, setting.function.max_delay) = (100 * MILLI, 100 * MILLI);
    (setting.function.timeout, setting.function.deadline) = (250 * MILLI, 250 * MILLI);
    let call = Operation::Call { outcomes: vec![(Outcome::Transient(0), 0)], is_sync: false, is_polled: true };
    let operations = vec![call, Operation::Pass(100 * MILLI), Operation::Poll(0), Operation::Pass(150 * MILLI), Operation::Poll(0)];
    History { setting, operations }
}

/// After how many histories the difference is seen.
fn seen_after(flaw: Flaw) -> Option<u32> {
    let mut dice = Dice(1);
    (0..=ENOUGH).find(|number| {
        let history = if *number == 0 { stopped_late() } else { dice.history() };
        // A wrong rule may also lead the model where its own numbers break, which is no difference seen.
        matches!(catch_unwind(AssertUnwindSafe(|| play(&history, Some(flaw)))), Ok(Err(_)))
    })
}

#[test]
fn every_wrong_rule_is_seen() {
    let seen: Vec<_> = Flaw::ALL.iter().map(|&flaw| (flaw, seen_after(flaw))).collect();
    for (flaw, after) in &seen {
        println!("{flaw:?}: {after:?}");
    }
    let unseen: Vec<_> = seen.iter().filter(|(_, after)| after.is_none()).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn what_chance_seldom_comes_to_is_as_in_the_library() {
    play(&stopped_late(), None).unwrap_or_else(|difference| panic!("{difference}"));
}

/// Few histories end because chance has decided, and most calls come to an end.
#[test]
fn histories_are_worth_playing() {
    let mut dice = Dice(2);
    let played: Vec<_> = (0..500).filter_map(|_| play(&dice.history(), None).ok()).collect();
    assert_eq!(played.len(), 500);
    let short = played.iter().filter(|played| played.was_cut_short).count();
    let ends: usize = played.iter().map(|played| played.ends).sum();
    let operations: usize = played.iter().map(|played| played.operations).sum();
    assert!(short <= 25 && ends > 2_500 && operations > 15_000, "{short} short, {ends} ends, {operations} operations");
}

/// Random histories that say nothing of an operation would look as well as any.
#[test]
fn bytes_reach_every_operation_and_every_setting() {
    let mut dice = Dice(3);
    let histories: Vec<_> = (0..400).map(|_| dice.history()).collect();
    let operations: Vec<_> = histories.iter().flat_map(|history| &history.operations).collect();
    let has = |is: fn(&Operation) -> bool| operations.iter().any(|operation| is(operation));
    assert!(has(|operation| matches!(operation, Operation::Call { is_sync: true, .. })));
    assert!(has(|operation| matches!(operation, Operation::Call { is_sync: false, is_polled: false, .. })));
    assert!(has(|operation| matches!(operation, Operation::TurnBack(_))));
    assert!(has(|operation| matches!(operation, Operation::Drop(_))));
    assert!(has(|operation| matches!(operation, Operation::TryAcquire(_))));
    assert!(has(|operation| matches!(operation, Operation::Reload(Reload::Rate(_)))));
    assert!(has(|operation| matches!(operation, Operation::Reload(Reload::Budget(_)))));
    assert!(has(|operation| matches!(operation, Operation::Reload(Reload::Function(..)))));
    assert!(has(|operation| matches!(operation, Operation::Force(Force::Shadow))));
    let any = |is: fn(&Setting) -> bool| histories.iter().any(|history| is(&history.setting));
    assert!(any(|setting| setting.waits_turn_the_clock) && any(|setting| !setting.waits_turn_the_clock));
    assert!(any(|setting| setting.breaker.is_some_and(|breaker| breaker.slow.is_some() && breaker.shadow)));
    assert!(any(|setting| setting.bucket.is_some() && setting.bulkhead.is_some() && setting.budget.is_some()));
}
