use resilient::{CircuitBreaker, Concurrency, Rate, RetryBudget};

fn main() {
    let _ = RetryBudget { ratio: Some(0.1), ..RetryBudget::new() };
    let _ = CircuitBreaker { failure_threshold: Some(3), ..CircuitBreaker::new() };
    let _ = Rate { count: 1, ..Rate::per_second(1) };
    let _ = Concurrency { calls: 0, ..Concurrency::limit(1) };
}
