use crate::servers::Redis;
use crate::support::{Attempts, within};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisResult, cmd};
use resilient::{Classify as _, Verdict, resilient};
use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

/// A command as one would type it.
fn command(words: &str) -> Cmd {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}

async fn connect_at(port: u16, password: &str, patience: Duration) -> RedisResult<MultiplexedConnection> {
    let client = Client::open(format!("redis://{password}127.0.0.1:{port}/"))?;
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience)).set_connection_timeout(Some(patience));
    client.get_multiplexed_async_connection_with_config(&config).await
}

async fn connect(port: u16) -> RedisResult<MultiplexedConnection> {
    connect_at(port, "", Duration::from_secs(60)).await
}

/// Does what is asked, and after the first attempt what mends it.
#[resilient(retries = 1_000, base_delay = "10ms", backoff = constant, budget = none)]
async fn ridden_out<F: Future<Output = ()>>(
    attempts: &Attempts,
    asking: &MultiplexedConnection,
    words: &str,
    mend: impl Fn() -> F,
) -> RedisResult<()> {
    let is_first = attempts.begin();
    let outcome = attempts.note(command(words).exec_async(&mut asking.clone()).await);
    if is_first {
        mend().await;
    }
    outcome
}

async fn told(connection: &MultiplexedConnection, words: &str) {
    command(words).exec_async(&mut connection.clone()).await.unwrap();
}

fn all(attempts: &Attempts, expected: Verdict) {
    let verdicts = attempts.verdicts();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == expected), "{verdicts:?}");
}

#[tokio::test]
async fn a_server_that_reads_its_data_is_waited_for() {
    let Some(mut server) = Redis::start(&[]) else { return };
    within(async {
        let connection = connect(server.port()).await.unwrap();
        let value = "x".repeat(4_096);
        for key in 0..64 {
            told(&connection, &format!("SET {key} {value}")).await;
        }
        told(&connection, "SAVE").await;
        server.kill();
        // Each key takes 0.2 s until it is told to hurry.
        server.start_again(&[
            "--key-load-delay",
            "200000",
            "--loading-process-events-interval-bytes",
            "1024",
            "--rdbcompression",
            "no",
        ]);
        let (attempts, loading) = (Attempts::default(), connect(server.port()).await.unwrap());
        ridden_out(&attempts, &loading, "GET 17", || told(&loading, "CONFIG SET key-load-delay 0")).await.unwrap();
        all(&attempts, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_runs_a_script_is_waited_for() {
    let Some(server) = Redis::start(&["--busy-reply-threshold", "10"]) else { return };
    within(async {
        let (mut looping, asking) = (connect(server.port()).await.unwrap(), connect(server.port()).await.unwrap());
        let mut script = cmd("EVAL");
        script.arg("while true do end").arg(0);
        let attempts = Attempts::default();
        let asked = async {
            // The server hears others only when the script has been slow for a while.
            while command("PING").exec_async(&mut asking.clone()).await.is_ok() {}
            ridden_out(&attempts, &asking, "SET key value", || told(&asking, "SCRIPT KILL")).await
        };
        let (looped, asked) = tokio::join!(script.exec_async(&mut looping), asked);
        asked.unwrap();
        looped.unwrap_err();
        all(&attempts, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_killed_is_waited_for() {
    #[resilient(retries = 1_000, base_delay = "10ms", backoff = constant, budget = none)]
    async fn ask(attempts: &Attempts, server: &RefCell<Redis>, port: u16) -> RedisResult<()> {
        let attempt = attempts.begin();
        attempts.note(asked(attempt.then_some(server), port).await)?;
        Ok(())
    }

    async fn asked(server: Option<&RefCell<Redis>>, port: u16) -> RedisResult<()> {
        let mut connection = connect(port).await?;
        if let Some(server) = server {
            server.borrow_mut().kill();
        }
        command("SET key value").exec_async(&mut connection).await
    }

    let Some(server) = Redis::start(&[]) else { return };
    within(async {
        let (attempts, port, server) = (Attempts::default(), server.port(), RefCell::new(server));
        let starting = async {
            while attempts.verdicts().len() < 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            server.borrow_mut().start_again(&[]);
        };
        let (outcome, ()) = tokio::join!(ask(&attempts, &server, port), starting);
        outcome.unwrap();
        all(&attempts, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn a_replica_is_asked_until_it_is_promoted() {
    let Some(server) = Redis::start(&["--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no"]) else { return };
    within(async {
        let replica = connect(server.port()).await.unwrap();
        let (reads, writes) = (Attempts::default(), Attempts::default());
        // Its master is not there.
        ridden_out(&reads, &replica, "GET key", || told(&replica, "CONFIG SET replica-serve-stale-data yes")).await.unwrap();
        all(&reads, Verdict::TRANSIENT);
        ridden_out(&writes, &replica, "SET key value", || told(&replica, "REPLICAOF NO ONE")).await.unwrap();
        all(&writes, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_late_is_asked_for_again() {
    let Some(server) = Redis::start(&[]) else { return };
    within(async {
        let administrator = connect(server.port()).await.unwrap();
        let asking = connect_at(server.port(), "", Duration::from_millis(200)).await.unwrap();
        told(&administrator, "CLIENT PAUSE 600000 WRITE").await;
        let attempts = Attempts::default();
        ridden_out(&attempts, &asking, "SET key value", || told(&administrator, "CLIENT UNPAUSE")).await.unwrap();
        all(&attempts, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn a_place_is_waited_for() {
    #[resilient(retries = 1_000, base_delay = "10ms", backoff = constant, budget = none)]
    async fn enter(attempts: &Attempts, port: u16, administrator: &MultiplexedConnection) -> RedisResult<()> {
        let is_first = attempts.begin();
        let outcome = attempts.note(entered(port).await);
        if is_first {
            told(administrator, "CONFIG SET maxclients 100").await;
        }
        outcome
    }

    async fn entered(port: u16) -> RedisResult<()> {
        let mut connection = connect(port).await?;
        command("PING").exec_async(&mut connection).await
    }

    let Some(server) = Redis::start(&[]) else { return };
    within(async {
        let (attempts, administrator) = (Attempts::default(), connect(server.port()).await.unwrap());
        told(&administrator, "CONFIG SET maxclients 1").await;
        enter(&attempts, server.port(), &administrator).await.unwrap();
        assert!(
            attempts.verdicts().iter().all(|verdict| verdict.is_retryable()) && attempts.get() > 1,
            "{:?}",
            attempts.verdicts()
        );
    })
    .await;
}

#[tokio::test]
async fn a_full_server_is_asked_until_it_has_room() {
    let Some(server) = Redis::start(&["--maxmemory", "1"]) else { return };
    within(async {
        let (attempts, connection) = (Attempts::default(), connect(server.port()).await.unwrap());
        ridden_out(&attempts, &connection, "SET key value", || told(&connection, "CONFIG SET maxmemory 0")).await.unwrap();
        all(&attempts, Verdict::TRANSIENT);
    })
    .await;
}

#[tokio::test]
async fn what_would_be_the_same_again_is_final() {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn ask(attempts: &Attempts, connection: &MultiplexedConnection, words: &str) -> RedisResult<()> {
        attempts.begin();
        attempts.note(command(words).exec_async(&mut connection.clone()).await)
    }

    #[resilient(retries = 2, base_delay = "1ms")]
    async fn piped(attempts: &Attempts, connection: &MultiplexedConnection) -> anyhow::Result<()> {
        attempts.begin();
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg("number").arg(7).cmd("LPUSH").arg("number").arg(1);
        Ok(pipeline.exec_async(&mut connection.clone()).await?)
    }

    #[resilient(retries = 2, base_delay = "1ms")]
    async fn number(attempts: &Attempts, connection: &MultiplexedConnection) -> RedisResult<u32> {
        attempts.begin();
        command("GET text").query_async(&mut connection.clone()).await
    }

    let Some(server) = Redis::start(&[]) else { return };
    within(async {
        let connection = connect(server.port()).await.unwrap();
        told(&connection, "SET text ten").await;
        for question in ["LPUSH text 1", "INCR text", "NONSENSE", "GET", "EVALSHA nothing 0", "SCRIPT KILL"] {
            let attempts = Attempts::default();
            ask(&attempts, &connection, question).await.unwrap_err();
            assert_eq!((attempts.get(), attempts.verdicts()), (1, vec![Verdict::Permanent]), "{question}");
        }
        let attempts = Attempts::default();
        let error = piped(&attempts, &connection).await.unwrap_err();
        assert_eq!((attempts.get(), error.classify()), (1, Verdict::Permanent), "{error}");
        let attempts = Attempts::default();
        let error = number(&attempts, &connection).await.unwrap_err();
        assert_eq!((attempts.get(), error.classify()), (1, Verdict::Permanent), "{error}");
    })
    .await;
}

#[tokio::test]
async fn who_may_not_enter_is_told_once() {
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn enter(attempts: &Attempts, port: u16, password: &str) -> RedisResult<()> {
        attempts.begin();
        attempts.note(entered(port, password).await)
    }

    async fn entered(port: u16, password: &str) -> RedisResult<()> {
        let mut connection = connect_at(port, password, Duration::from_secs(60)).await?;
        command("GET key").exec_async(&mut connection).await
    }

    let Some(server) = Redis::start(&["--requirepass", "secret"]) else { return };
    within(async {
        for (password, verdicts) in [("", vec![Verdict::Permanent]), (":wrong@", vec![Verdict::Permanent]), (":secret@", vec![])] {
            let attempts = Attempts::default();
            let outcome = enter(&attempts, server.port(), password).await;
            assert_eq!(
                (attempts.get(), attempts.verdicts(), outcome.is_ok()),
                (1, verdicts, password == ":secret@"),
                "{outcome:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_not_whole_is_waited_for() {
    let Some(server) = Redis::start(&["--cluster-enabled", "yes"]) else { return };
    within(async {
        let (attempts, connection) = (Attempts::default(), connect(server.port()).await.unwrap());
        let whole = || told(&connection, "CLUSTER ADDSLOTSRANGE 0 16383");
        ridden_out(&attempts, &connection, "SET key value", whole).await.unwrap();
        all(&attempts, Verdict::TRANSIENT);

        let slots = command("MSET one 1 two 2").exec_async(&mut connection.clone()).await.unwrap_err();
        assert_eq!(slots.classify(), Verdict::Permanent, "{slots}");
    })
    .await;
}
