//! Variables of a real process's environment.

use crate::{ShopError, Turn};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Overrides, configure, resilient};
use std::cell::Cell;
use std::process::Command;

#[resilient(retries = 2, breaker = "Env.payments", budget = none)]
fn charge(attempts: &Cell<u32>) -> Result<(), ShopError> {
    attempts.set(attempts.get() + 1);
    Err(ShopError::Reset)
}

/// Run by the test below, in a process with variables.
#[test]
fn child() {
    if std::env::var_os("CONFIGURED_CHILD").is_none() {
        return;
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let code = || configure().function("configured::environment::charge", Overrides::new().retries(7));
    let installed = code().breaker("Env.payments", CircuitBreaker::new().failure_threshold(100)).env("SHOP").install();
    let Err(error) = installed else {
        let attempts = Cell::new(0);
        charge(&attempts).unwrap_err();
        return println!("attempts: {}", attempts.get());
    };
    println!("refused: {error}");
}

fn child_with(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "environment::child", "--nocapture"]).env("CONFIGURED_CHILD", "1");
    command.envs(variables.iter().copied());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn the_environment_goes_before_code() {
    let told = |variables: &[(&str, &str)], expected: &str| {
        let output = child_with(variables);
        assert!(output.contains(expected), "{output}");
    };
    told(&[], "attempts: 8");
    told(&[("SHOP__FUNCTIONS__CONFIGURED__ENVIRONMENT__CHARGE__RETRIES", "4")], "attempts: 5");
    told(&[("shop__breakers__env_payments__failure_threshold", "3")], "attempts: 3");
    told(&[("SHOP__SWITCHES__RETRIES", "false")], "attempts: 1");
    told(&[("SHOP__BREAKERS__ENV_PAYMENTS__ENABLED", "maybe")], "refused: SHOP__BREAKERS__ENV_PAYMENTS__ENABLED: `enabled` takes");
}
