use crate::servers::Postgres;
use crate::support::{Attempts, BUSY, within};
use resilient::{Classify as _, State, Verdict, breaker, resilient};
use std::cell::RefCell;
use tokio::sync::Barrier;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls};

async fn connect_as(user: &str, port: u16) -> Result<Client, Error> {
    let config = format!("host=127.0.0.1 port={port} user={user} dbname=postgres connect_timeout=5");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

async fn connect(port: u16) -> Result<Client, Error> {
    connect_as("postgres", port).await
}

/// Two accounts with 100 each.
async fn with_accounts(port: u16) -> Client {
    let client = connect(port).await.unwrap();
    let accounts = "DROP TABLE IF EXISTS accounts; CREATE TABLE accounts (id int PRIMARY KEY, cents int NOT NULL);
        INSERT INTO accounts VALUES (1, 100), (2, 100)";
    client.batch_execute(accounts).await.unwrap();
    client
}

async fn cents(client: &Client, account: i32) -> i32 {
    client.query_one("SELECT cents FROM accounts WHERE id = $1", &[&account]).await.unwrap().get(0)
}

/// Everything that one server can show, so that one is enough.
#[tokio::test]
async fn what_the_server_answers_is_ridden_out_or_final() {
    let Some(server) = Postgres::start() else { return };
    let port = server.port();
    within(async {
        a_serialization_failure_is_tried_again(port).await;
        the_victim_of_a_deadlock_is_tried_again(port).await;
        a_lock_that_another_has_is_waited_for(port).await;
        a_statement_that_takes_too_long_is_tried_again(port).await;
        a_statement_that_somebody_cancels_is_not(port).await;
        a_connection_that_an_administrator_ends_is_replaced(port).await;
        a_place_is_waited_for(port).await;
        what_would_be_the_same_again_is_final(port).await;
        what_cannot_be_asked_is_ours(port).await;
    })
    .await;
}

async fn a_serialization_failure_is_tried_again(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms", breaker(name = "tokio-postgres conflicts", failure_threshold = 1), map_err = |refused| panic!("{refused}"))]
    async fn deposit(attempts: &Attempts, client: &mut Client, other: &Client) -> Result<(), Error> {
        let is_first = attempts.begin();
        attempts.note(deposited(client, is_first.then_some(other)).await)
    }

    async fn deposited(client: &mut Client, other: Option<&Client>) -> Result<(), Error> {
        let transaction =
            client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::RepeatableRead).start().await?;
        let cents: i32 = transaction.query_one("SELECT cents FROM accounts WHERE id = 1", &[]).await?.get(0);
        if let Some(other) = other {
            other.execute("UPDATE accounts SET cents = cents + 1 WHERE id = 1", &[]).await?;
        }
        transaction.execute("UPDATE accounts SET cents = $1 WHERE id = 1", &[&(cents + 10)]).await?;
        transaction.commit().await
    }

    let other = with_accounts(port).await;
    let attempts = Attempts::default();
    deposit(&attempts, &mut connect(port).await.unwrap(), &other).await.unwrap();
    assert_eq!((cents(&other, 1).await, attempts.verdicts()), (111, vec![BUSY]));
    assert_eq!(breaker("tokio-postgres conflicts").state(), State::Closed);
}

async fn the_victim_of_a_deadlock_is_tried_again(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn transfer(attempts: &Attempts, both: &Barrier, client: &mut Client, from: i32, to: i32) -> Result<(), Error> {
        let is_first = attempts.begin();
        attempts.note(transferred(client, is_first.then_some(both), from, to).await)
    }

    async fn transferred(client: &mut Client, both: Option<&Barrier>, from: i32, to: i32) -> Result<(), Error> {
        let transaction = client.transaction().await?;
        transaction.execute("UPDATE accounts SET cents = cents - 5 WHERE id = $1", &[&from]).await?;
        if let Some(both) = both {
            both.wait().await;
        }
        transaction.execute("UPDATE accounts SET cents = cents + 5 WHERE id = $1", &[&to]).await?;
        transaction.commit().await
    }

    let watching = with_accounts(port).await;
    let (mut here, mut there) = (connect(port).await.unwrap(), connect(port).await.unwrap());
    let (both, one, two) = (Barrier::new(2), Attempts::default(), Attempts::default());
    let (first, second) = tokio::join!(transfer(&one, &both, &mut here, 1, 2), transfer(&two, &both, &mut there, 2, 1));
    first.unwrap();
    second.unwrap();
    assert_eq!([one.verdicts(), two.verdicts()].concat(), [BUSY]);
    assert_eq!((cents(&watching, 1).await, cents(&watching, 2).await), (100, 100));
}

async fn a_lock_that_another_has_is_waited_for(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn locked(attempts: &Attempts, client: &Client, holder: &RefCell<Option<Client>>) -> Result<(), Error> {
        let is_first = attempts.begin();
        let outcome =
            attempts.note(client.batch_execute("BEGIN; SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE NOWAIT; COMMIT").await);
        if is_first {
            client.batch_execute("ROLLBACK").await?;
            let holder = holder.take().unwrap();
            holder.batch_execute("ROLLBACK").await?;
        }
        outcome
    }

    let holder = with_accounts(port).await;
    holder.batch_execute("BEGIN; UPDATE accounts SET cents = 0 WHERE id = 1").await.unwrap();
    let attempts = Attempts::default();
    locked(&attempts, &connect(port).await.unwrap(), &RefCell::new(Some(holder))).await.unwrap();
    assert_eq!(attempts.verdicts(), [BUSY]);
}

async fn a_statement_that_takes_too_long_is_tried_again(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn report(attempts: &Attempts, client: &Client) -> Result<u64, Error> {
        let seconds = if attempts.begin() { 600.0 } else { 0.0 };
        attempts.note(client.execute("SELECT pg_sleep($1)", &[&seconds]).await)
    }

    let client = connect(port).await.unwrap();
    client.batch_execute("SET statement_timeout = '100ms'").await.unwrap();
    let attempts = Attempts::default();
    report(&attempts, &client).await.unwrap();
    assert_eq!(attempts.verdicts(), [Verdict::TRANSIENT]);
}

async fn a_statement_that_somebody_cancels_is_not(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn report(attempts: &Attempts, client: &Client) -> Result<u64, Error> {
        attempts.begin();
        client.execute("SELECT pg_sleep(600)", &[]).await
    }

    let (client, attempts) = (connect(port).await.unwrap(), Attempts::default());
    let cancelling = async {
        loop {
            client.cancel_token().cancel_query(NoTls).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let outcome = tokio::select! {
        outcome = report(&attempts, &client) => outcome,
        () = cancelling => unreachable!("it never ends"),
    };
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.classify()), (Some(&SqlState::QUERY_CANCELED), Verdict::Ignored));
    assert_eq!(attempts.get(), 1);
}

async fn a_connection_that_an_administrator_ends_is_replaced(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn ask(attempts: &Attempts, port: u16, administrator: &Client) -> Result<i32, Error> {
        let is_first = attempts.begin();
        attempts.note(asked(port, is_first.then_some(administrator)).await)
    }

    async fn asked(port: u16, administrator: Option<&Client>) -> Result<i32, Error> {
        let client = connect(port).await?;
        if let Some(administrator) = administrator {
            let process: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
            administrator.execute("SELECT pg_terminate_backend($1, 10000)", &[&process]).await?;
        }
        Ok(client.query_one("SELECT 7", &[]).await?.get(0))
    }

    let (attempts, administrator) = (Attempts::default(), connect(port).await.unwrap());
    assert_eq!(ask(&attempts, port, &administrator).await.unwrap(), 7);
    assert_eq!(attempts.verdicts(), [Verdict::TRANSIENT]);

    // Told while it asks: the server's own word for it.
    let (client, told) = (connect(port).await.unwrap(), Attempts::default());
    let process: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let (asking, _) = tokio::join!(client.execute("SELECT pg_sleep(600)", &[]), async {
        let is_asking = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'";
        while administrator.query_opt(is_asking, &[&process]).await.unwrap().is_none() {}
        administrator.execute("SELECT pg_terminate_backend($1)", &[&process]).await.unwrap()
    });
    let error = told.note(asking).unwrap_err();
    assert_eq!((error.code(), told.verdicts()), (Some(&SqlState::ADMIN_SHUTDOWN), vec![Verdict::TRANSIENT]));
}

async fn a_place_is_waited_for(port: u16) {
    #[resilient(retries = 1_000, base_delay = "10ms", backoff = constant, budget = none)]
    async fn enter(attempts: &Attempts, port: u16, holder: &RefCell<Option<Client>>) -> Result<Client, Error> {
        attempts.begin();
        let outcome = attempts.note(connect_as("crowded", port).await);
        holder.take();
        outcome
    }

    connect(port).await.unwrap().batch_execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 1").await.unwrap();
    let (attempts, holder) = (Attempts::default(), connect_as("crowded", port).await.unwrap());
    enter(&attempts, port, &RefCell::new(Some(holder))).await.unwrap();
    assert!(attempts.verdicts().iter().all(|verdict| *verdict == BUSY) && attempts.get() > 1, "{:?}", attempts.verdicts());
}

async fn what_would_be_the_same_again_is_final(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn ask(attempts: &Attempts, client: &Client, question: &str) -> Result<(), Error> {
        attempts.begin();
        attempts.note(client.query_one(question, &[]).await.and_then(|row| row.try_get::<_, i32>(0)))?;
        Ok(())
    }

    #[resilient(retries = 2, base_delay = "1ms")]
    async fn enter(attempts: &Attempts, port: u16, user: &str) -> anyhow::Result<Client> {
        attempts.begin();
        Ok(connect_as(user, port).await?)
    }

    let client = with_accounts(port).await;
    for question in [
        "INSERT INTO accounts VALUES (1, 0) RETURNING id",
        "INSERT INTO accounts VALUES (3, NULL) RETURNING id",
        "SELECT nonsense",
        "SELECT 1/0",
        "SELECT id FROM accounts WHERE id = 17",
        "SELECT 'a text'",
        "SELECT id, nothing FROM nowhere",
    ] {
        let attempts = Attempts::default();
        ask(&attempts, &client, question).await.unwrap_err();
        assert_eq!((attempts.get(), attempts.verdicts()), (1, vec![Verdict::Permanent]), "{question}");
    }
    let attempts = Attempts::default();
    let error = enter(&attempts, port, "stranger").await.unwrap_err();
    assert_eq!((attempts.get(), error.classify()), (1, Verdict::Permanent), "{error}");
}

async fn what_cannot_be_asked_is_ours(port: u16) {
    let client = connect(port).await.unwrap();
    let too_few = client.execute("SELECT $1::int", &[]).await.unwrap_err();
    assert_eq!(too_few.classify(), Verdict::Ignored, "{too_few}");
    let of_another_type = client.execute("SELECT $1::int", &[&"a text"]).await.unwrap_err();
    assert_eq!(of_another_type.classify(), Verdict::Ignored, "{of_another_type}");
    let no_such_column = client.query_one("SELECT 1 AS one", &[]).await.unwrap().try_get::<_, i32>("two").unwrap_err();
    assert_eq!(no_such_column.classify(), Verdict::Permanent, "{no_such_column}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_is_ridden_out() {
    #[resilient(retries = 100_000, base_delay = "10ms", backoff = constant, jitter = none, budget = none)]
    async fn ask(attempts: &Attempts, port: u16, server: &RefCell<Postgres>) -> Result<i32, Error> {
        let is_first = attempts.begin();
        attempts.note(asked(port, is_first.then_some(server)).await)
    }

    async fn asked(port: u16, server: Option<&RefCell<Postgres>>) -> Result<i32, Error> {
        let client = connect(port).await?;
        if let Some(server) = server {
            server.borrow_mut().stop();
        }
        Ok(client.query_one("SELECT 7", &[]).await?.get(0))
    }

    let Some(server) = Postgres::start() else { return };
    let (attempts, port, server) = (Attempts::default(), server.port(), RefCell::new(server));
    within(async {
        let starting = async {
            while attempts.verdicts().len() < 3 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            server.borrow_mut().start_again();
        };
        let (answer, ()) = tokio::join!(ask(&attempts, port, &server), starting);
        assert_eq!(answer.unwrap(), 7);
        assert!(attempts.verdicts().iter().all(|verdict| *verdict == Verdict::TRANSIENT), "{:?}", attempts.verdicts());
    })
    .await;
}
