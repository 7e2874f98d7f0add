use super::*;

fn is_let_through(breaker: &Breaker, now: Instant) -> Option<Permit<'_>> {
    admit(breaker, now).filter(Permit::is_excused)
}

#[test]
fn in_shadow_it_changes_its_state_as_ever_and_refuses_nothing() {
    for settings in [CircuitBreaker::new().shadow(true), CircuitBreaker::new()] {
        let breaker = breaker(settings.recovery_timeout(std::time::Duration::from_secs(5)));
        breaker.shadow();
        assert!(breaker.is_shadow());
        trip(&breaker, at(0));
        assert!(!breaker.is_refusing(at(0)), "a retry would be let through");
        let before = breaker.load();
        let passing = is_let_through(&breaker, at(4)).expect("not refused");
        fail(Some(passing), at(4));
        is_let_through(&breaker, at(4)).expect("not refused").answered();
        drop(is_let_through(&breaker, at(4)).expect("not refused"));
        assert_eq!(breaker.load(), before, "what would have been refused has no result");
        let probe = admit(&breaker, at(5)).expect("probe");
        assert!(!probe.is_excused());
        is_let_through(&breaker, at(5)).expect("the only place is taken").answered();
        assert_eq!(breaker.load().phase(), Phase::HalfOpen);
        probe.answered();
        admit(&breaker, at(5)).expect("probe").answered();
        assert_eq!(breaker.load().phase(), Phase::Closed);
    }
}

#[test]
fn an_open_one_keeps_its_state_in_shadow_and_a_forced_one_is_closed() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    assert!(admit(&breaker, at(4)).is_none());
    breaker.shadow();
    assert!(is_let_through(&breaker, at(4)).is_some());
    assert_eq!(breaker.load().phase(), Phase::Open);
    breaker.force_open();
    assert!(!breaker.is_shadow() && admit(&breaker, at(4)).is_none(), "the operator's last word holds");
    breaker.shadow();
    assert_eq!((breaker.state(), breaker.is_shadow()), (State::Closed, true));
    breaker.disable();
    assert!(!breaker.is_shadow());
    breaker.shadow();
    breaker.reset();
    assert!(!breaker.is_shadow());
    trip(&breaker, at(0));
    assert!(admit(&breaker, at(4)).is_none(), "reset ends it");
}

#[test]
fn reset_ends_the_operators_shadow_and_not_that_of_the_settings() {
    let breaker = breaker(CircuitBreaker::new().shadow(true));
    breaker.shadow();
    breaker.reset();
    assert!(breaker.is_shadow());
    trip(&breaker, at(0));
    breaker.change_settings(CircuitBreaker::new());
    assert!(!breaker.is_shadow());
    assert!(admit(&breaker, at(4)).is_none(), "what was open in shadow is open");
}
