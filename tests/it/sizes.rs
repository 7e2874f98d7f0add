//! What annotated futures weigh and where they may go.

use crate::support::ServiceError;
use resilient::resilient;
use std::cell::Cell;

async fn plain(byte: u8) -> Result<u8, ServiceError> {
    let held = [byte; 1024];
    tokio::task::yield_now().await;
    Ok(held[usize::from(byte)])
}

#[resilient(retries = 3, breaker = "sizes", rate = 1_000)]
async fn one(byte: u8) -> Result<u8, ServiceError> {
    let held = [byte; 1024];
    tokio::task::yield_now().await;
    Ok(held[usize::from(byte)])
}

#[resilient(retries = 3, breaker = "sizes", rate = 1_000)]
async fn two(byte: u8) -> Result<u8, ServiceError> {
    one(byte).await
}

#[resilient(retries = 3, breaker = "sizes", rate = 1_000)]
async fn three(byte: u8) -> Result<u8, ServiceError> {
    two(byte).await
}

#[resilient(retries = 3, breaker = "sizes", timeout = "1s", deadline = "9s", concurrency = 3)]
async fn limited(byte: u8) -> Result<u8, ServiceError> {
    let held = [byte; 1024];
    tokio::task::yield_now().await;
    Ok(held[usize::from(byte)])
}

#[test]
fn a_future_grows_by_less_than_160_bytes_a_layer() {
    let sizes = [size_of_val(&plain(1)), size_of_val(&one(1)), size_of_val(&two(1)), size_of_val(&three(1))];
    for pair in sizes.windows(2) {
        assert!(pair[1] - pair[0] < 160, "{sizes:?}");
    }
    assert!(size_of_val(&limited(1)) - sizes[0] < 300, "{}", size_of_val(&limited(1)));
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn futures_are_send_when_the_body_is_and_spawn_with_what_they_borrow() {
    #[resilient(retries = 1, timeout = "1s")]
    async fn borrows(text: &str, cell: Cell<u8>, callback: Box<dyn Fn() -> u8 + Send>) -> Result<usize, ServiceError> {
        tokio::task::yield_now().await;
        cell.set(callback());
        Ok(text.len() + usize::from(cell.get()))
    }
    #[resilient(retries = 1)]
    async fn generic<T: Send>(value: T) -> Result<usize, ServiceError> {
        tokio::task::yield_now().await;
        Ok(size_of_val(&value))
    }
    let task = tokio::spawn(async {
        let text = "abc".to_owned();
        is_send(borrows(&text, Cell::new(0), Box::new(|| 2))).await
    });
    assert_eq!(task.await.unwrap(), Ok(5));
    assert_eq!(tokio::spawn(generic(Cell::new(1_u16))).await.unwrap(), Ok(2));
}

#[tokio::test]
async fn an_error_that_is_not_send_does_not_keep_the_future_from_being_sent() {
    #[derive(Debug)]
    struct Local(std::rc::Rc<u8>);

    #[resilient(retries = 1, base_delay = "1ms")]
    async fn call() -> Result<(), Local> {
        Err(Local(std::rc::Rc::new(7)))
    }
    let future = is_send(call());
    assert_eq!(*future.await.unwrap_err().0, 7);
}
