use crate::servers::Postgres;
use crate::support::{Attempts, BUSY, within};
use resilient::{Classify as _, Rejected, State, Verdict, breaker, resilient};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Error, Executor as _, PgConnection, Row as _};
use std::cell::RefCell;
use std::time::Duration;
use tokio::sync::Barrier;

fn options(user: &str, port: u16) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username(user).database("postgres")
}

fn pool(port: u16, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options("postgres", port))
}

/// Two accounts with 100 each.
async fn with_accounts(port: u16) -> PgPool {
    let pool = pool(port, 4);
    let accounts = "DROP TABLE IF EXISTS accounts; CREATE TABLE accounts (id int PRIMARY KEY, cents int NOT NULL);
        INSERT INTO accounts VALUES (1, 100), (2, 100)";
    pool.execute(accounts).await.unwrap();
    pool
}

async fn cents(pool: &PgPool, account: i32) -> i32 {
    sqlx::query("SELECT cents FROM accounts WHERE id = $1").bind(account).fetch_one(pool).await.unwrap().get(0)
}

/// Everything that one server can show, so that one is enough.
#[tokio::test]
async fn what_the_server_answers_is_ridden_out_or_final() {
    let Some(server) = Postgres::start() else { return };
    let port = server.port();
    within(async {
        a_serialization_failure_is_tried_again(port).await;
        the_victim_of_a_deadlock_is_tried_again(port).await;
        a_statement_that_takes_too_long_is_tried_again(port).await;
        a_statement_that_somebody_cancels_is_not(port).await;
        a_connection_that_an_administrator_ends_is_replaced(port).await;
        a_place_is_waited_for(port).await;
        what_would_be_the_same_again_is_final(port).await;
        an_empty_pool_is_ours(port).await;
    })
    .await;
}

async fn a_serialization_failure_is_tried_again(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms", breaker(name = "sqlx conflicts", failure_threshold = 1))]
    async fn deposit(attempts: &Attempts, pool: &PgPool) -> sqlx::Result<()> {
        let is_first = attempts.begin();
        attempts.note(deposited(pool, is_first).await)
    }

    async fn deposited(pool: &PgPool, is_disturbed: bool) -> sqlx::Result<()> {
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
        let cents: i32 = transaction.fetch_one("SELECT cents FROM accounts WHERE id = 1").await?.get(0);
        if is_disturbed {
            pool.execute("UPDATE accounts SET cents = cents + 1 WHERE id = 1").await?;
        }
        let update = sqlx::query("UPDATE accounts SET cents = $1 WHERE id = 1").bind(cents + 10);
        update.execute(&mut *transaction).await?;
        transaction.commit().await
    }

    let (attempts, pool) = (Attempts::default(), with_accounts(port).await);
    deposit(&attempts, &pool).await.unwrap();
    assert_eq!((cents(&pool, 1).await, attempts.verdicts()), (111, vec![BUSY]));
    assert_eq!(breaker("sqlx conflicts").state(), State::Closed);
}

async fn the_victim_of_a_deadlock_is_tried_again(port: u16) {
    #[resilient(retries = 20, base_delay = "1ms")]
    async fn transfer(attempts: &Attempts, both: &Barrier, pool: &PgPool, from: i32, to: i32) -> sqlx::Result<()> {
        let is_first = attempts.begin();
        attempts.note(transferred(is_first.then_some(both), pool, from, to).await)
    }

    async fn transferred(both: Option<&Barrier>, pool: &PgPool, from: i32, to: i32) -> sqlx::Result<()> {
        let mut transaction = pool.begin().await?;
        let take = sqlx::query("UPDATE accounts SET cents = cents - 5 WHERE id = $1").bind(from);
        take.execute(&mut *transaction).await?;
        if let Some(both) = both {
            both.wait().await;
        }
        let give = sqlx::query("UPDATE accounts SET cents = cents + 5 WHERE id = $1").bind(to);
        give.execute(&mut *transaction).await?;
        transaction.commit().await
    }

    let pool = with_accounts(port).await;
    let (both, one, two) = (Barrier::new(2), Attempts::default(), Attempts::default());
    let (first, second) = tokio::join!(transfer(&one, &both, &pool, 1, 2), transfer(&two, &both, &pool, 2, 1));
    first.unwrap();
    second.unwrap();
    // Whoever comes back before the other has what it waits for is a victim once more.
    let verdicts = [one.verdicts(), two.verdicts()].concat();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == BUSY), "{verdicts:?}");
    assert_eq!((cents(&pool, 1).await, cents(&pool, 2).await), (100, 100));
}

async fn a_statement_that_takes_too_long_is_tried_again(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn report(attempts: &Attempts, connection: &mut PgConnection) -> sqlx::Result<()> {
        let question = if attempts.begin() { "SELECT pg_sleep(600)" } else { "SELECT pg_sleep(0)" };
        attempts.note(connection.execute(question).await.map(drop))
    }

    let mut connection = PgConnection::connect_with(&options("postgres", port)).await.unwrap();
    connection.execute("SET statement_timeout = '100ms'").await.unwrap();
    let attempts = Attempts::default();
    report(&attempts, &mut connection).await.unwrap();
    assert_eq!(attempts.verdicts(), [Verdict::TRANSIENT]);
}

async fn a_statement_that_somebody_cancels_is_not(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn report(attempts: &Attempts, connection: &mut PgConnection) -> sqlx::Result<()> {
        attempts.begin();
        attempts.note(connection.execute("SELECT pg_sleep(600)").await.map(drop))
    }

    let (attempts, pool) = (Attempts::default(), pool(port, 1));
    let mut connection = PgConnection::connect_with(&options("postgres", port)).await.unwrap();
    let process: i32 = connection.fetch_one("SELECT pg_backend_pid()").await.unwrap().get(0);
    let (outcome, ()) = tokio::join!(report(&attempts, &mut connection), while_it_sleeps(&pool, process, "pg_cancel_backend"));
    outcome.unwrap_err();
    assert_eq!((attempts.get(), attempts.verdicts()), (1, vec![Verdict::Ignored]));
}

/// Has this done to the process of the server that sleeps, once it does.
async fn while_it_sleeps(pool: &PgPool, process: i32, what: &str) {
    let done = format!("SELECT {what}(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'");
    loop {
        let query = sqlx::query(sqlx::AssertSqlSafe(done.clone())).bind(process);
        if query.fetch_optional(pool).await.unwrap().is_some() {
            return;
        }
    }
}

async fn a_connection_that_an_administrator_ends_is_replaced(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn ask(attempts: &Attempts, pool: &PgPool, administrator: &PgPool) -> sqlx::Result<i32> {
        let is_first = attempts.begin();
        attempts.note(asked(pool, is_first.then_some(administrator)).await)
    }

    async fn asked(pool: &PgPool, administrator: Option<&PgPool>) -> sqlx::Result<i32> {
        let mut connection = pool.acquire().await?;
        let process: i32 = connection.fetch_one("SELECT pg_backend_pid()").await?.get(0);
        if let Some(administrator) = administrator {
            let (asking, ()) = tokio::join!(
                connection.execute("SELECT pg_sleep(600)"),
                while_it_sleeps(administrator, process, "pg_terminate_backend")
            );
            asking?;
        }
        Ok(connection.fetch_one("SELECT 7").await?.get(0))
    }

    let attempts = Attempts::default();
    assert_eq!(ask(&attempts, &pool(port, 1), &pool(port, 1)).await.unwrap(), 7);
    assert_eq!(attempts.verdicts(), [Verdict::TRANSIENT]);
}

async fn a_place_is_waited_for(port: u16) {
    #[resilient(retries = 1_000, base_delay = "10ms", backoff = constant, budget = none)]
    async fn enter(attempts: &Attempts, port: u16, holder: &RefCell<Option<PgConnection>>) -> sqlx::Result<PgConnection> {
        attempts.begin();
        let outcome = attempts.note(PgConnection::connect_with(&options("crowded", port)).await);
        holder.take();
        outcome
    }

    pool(port, 1).execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 1").await.unwrap();
    let (attempts, holder) = (Attempts::default(), PgConnection::connect_with(&options("crowded", port)).await.unwrap());
    enter(&attempts, port, &RefCell::new(Some(holder))).await.unwrap();
    assert!(attempts.verdicts().iter().all(|verdict| *verdict == BUSY) && attempts.get() > 1, "{:?}", attempts.verdicts());
}

async fn what_would_be_the_same_again_is_final(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn ask(attempts: &Attempts, pool: &PgPool, question: &'static str) -> sqlx::Result<i32> {
        attempts.begin();
        attempts.note(sqlx::query(question).fetch_one(pool).await.and_then(|row| row.try_get(0)))
    }

    #[resilient(retries = 2, base_delay = "1ms")]
    async fn enter(attempts: &Attempts, port: u16) -> anyhow::Result<PgConnection> {
        attempts.begin();
        Ok(PgConnection::connect_with(&options("stranger", port)).await?)
    }

    let pool = with_accounts(port).await;
    for question in [
        "INSERT INTO accounts VALUES (1, 0) RETURNING id",
        "INSERT INTO accounts VALUES (3, NULL) RETURNING id",
        "SELECT nonsense",
        "SELECT 1/0",
        "SELECT id FROM accounts WHERE id = 17",
        "SELECT 'a text'",
    ] {
        let attempts = Attempts::default();
        ask(&attempts, &pool, question).await.unwrap_err();
        assert_eq!((attempts.get(), attempts.verdicts()), (1, vec![Verdict::Permanent]), "{question}");
    }
    let attempts = Attempts::default();
    let error = enter(&attempts, port).await.unwrap_err();
    assert_eq!((attempts.get(), error.classify()), (1, Verdict::Permanent), "{error}");
}

async fn an_empty_pool_is_ours(port: u16) {
    #[resilient(retries = 2, base_delay = "1ms", breaker(name = "sqlx pool", failure_threshold = 1))]
    async fn ask(attempts: &Attempts, pool: &PgPool) -> sqlx::Result<()> {
        attempts.begin();
        attempts.note(pool.execute("SELECT 1").await.map(drop))
    }

    let small = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(50));
    let (attempts, pool) = (Attempts::default(), small.connect_with(options("postgres", port)).await.unwrap());
    let taken = pool.acquire().await.unwrap();
    let error = ask(&attempts, &pool).await.unwrap_err();
    assert!(matches!(error, Error::PoolTimedOut), "{error}");
    assert_eq!((attempts.get(), breaker("sqlx pool").state()), (1, State::Closed));
    drop(taken);

    breaker("sqlx pool").force_open();
    let refused = ask(&attempts, &pool).await.unwrap_err();
    let Error::Io(inside) = &refused else { panic!("{refused}") };
    let inside = inside.get_ref().and_then(|inside| inside.downcast_ref());
    assert!(matches!(inside, Some(Rejected::CircuitOpen(_))), "{refused}");
    assert_eq!(refused.classify(), Verdict::Ignored);
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_is_ridden_out() {
    #[resilient(retries = 100_000, base_delay = "10ms", backoff = constant, jitter = none, budget = none)]
    async fn ask(attempts: &Attempts, port: u16, server: &RefCell<Postgres>) -> sqlx::Result<i32> {
        let is_first = attempts.begin();
        attempts.note(asked(port, is_first.then_some(server)).await)
    }

    async fn asked(port: u16, server: Option<&RefCell<Postgres>>) -> sqlx::Result<i32> {
        let mut connection = PgConnection::connect_with(&options("postgres", port)).await?;
        if let Some(server) = server {
            server.borrow_mut().stop();
        }
        Ok(connection.fetch_one("SELECT 7").await?.get(0))
    }

    let Some(server) = Postgres::start() else { return };
    let (attempts, port, server) = (Attempts::default(), server.port(), RefCell::new(server));
    within(async {
        let starting = async {
            while attempts.verdicts().len() < 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            server.borrow_mut().start_again();
        };
        let (answer, ()) = tokio::join!(ask(&attempts, port, &server), starting);
        assert_eq!(answer.unwrap(), 7);
        assert!(attempts.verdicts().iter().all(|verdict| *verdict == Verdict::TRANSIENT), "{:?}", attempts.verdicts());
    })
    .await;
}
