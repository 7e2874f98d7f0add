use super::connection::{BUSY, of_connection};
use crate::rejected::Rejected;
use crate::verdict::{Classify, Verdict};
use redis::{ErrorKind, RedisError, RetryMethod};
use std::error::Error;
use std::io;
use std::sync::Arc;

impl Classify for RedisError {
    /// Lost connections, timeouts, and a server that loads, is busy, lost its master or became a replica are transient; too many
    /// clients and keys that are on the move are throttled; other answers, a wrong password among them, are permanent. What could
    /// not be sent is ours. The whole table is `resilient::verdicts`.
    fn classify(&self) -> Verdict {
        match self.kind() {
            ErrorKind::Io => of_io(self),
            ErrorKind::Server(_) | ErrorKind::Extension => of_answers(self),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType | ErrorKind::AuthenticationFailed | ErrorKind::RESP3NotSupported => {
                Verdict::Permanent
            }
            ErrorKind::InvalidClientConfig | ErrorKind::Client | ErrorKind::EmptySentinelList => Verdict::Ignored,
            _ if matches!(self.retry_method(), RetryMethod::NoRetry) => Verdict::Permanent,
            _ => Verdict::TRANSIENT,
        }
    }
}

/// The I/O error stands in an `Arc` that is the cause itself. Where there is none, the client's own connection came to its end.
fn of_io(error: &RedisError) -> Verdict {
    let shared = error.source().and_then(|cause| cause.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    shared.and_then(|cause| cause.downcast_ref::<io::Error>()).map_or(Verdict::TRANSIENT, of_connection)
}

/// Of a pipeline's answers those decide that would come again; a transaction means what its commands mean.
fn of_answers(error: &RedisError) -> Verdict {
    let answers = error.clone().into_server_errors().unwrap_or_default();
    let verdicts = || answers.iter().map(|(_, answer)| of_code(answer.code(), answer.details()));
    let decisive = verdicts().find(|verdict| !verdict.is_retryable()).or_else(|| verdicts().next());
    decisive.unwrap_or_else(|| of_code(error.code().unwrap_or_default(), error.detail()))
}

/// The verdict on the word that the server's answer begins with.
fn of_code(code: &str, detail: Option<&str>) -> Verdict {
    let says = |words: &str| detail.is_some_and(|detail| detail.contains(words));
    match code {
        "LOADING" | "BUSY" | "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "MOVED" | "ASK" | "OOM" | "MISCONF" | "NOREPLICAS"
        | "UNBLOCKED" | "IOERR" => Verdict::TRANSIENT,
        "TRYAGAIN" | "INPROG" => BUSY,
        "ERR" if says("max number of clients") => BUSY,
        // So the client tells that it was refused to choose a database.
        "ERR" if says("loading the dataset") => Verdict::TRANSIENT,
        _ => Verdict::Permanent,
    }
}

/// For functions that return `redis::RedisResult`: an error of the kind `Io`, in which the refusal stays recognisable.
impl From<Rejected> for RedisError {
    fn from(rejected: Rejected) -> Self {
        io::Error::from(rejected).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejected::{Refusal, Time};
    use redis::{ConnectionLike, RedisResult, ServerErrorKind, Value};

    /// What the server's line means.
    fn verdict(line: &str) -> Verdict {
        let answer = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
        answer.and_then(redis::Value::extract_error).unwrap_err().classify()
    }

    #[test]
    fn a_server_answers_by_its_first_word() {
        for line in [
            "LOADING Redis is loading the dataset in memory",
            "BUSY Redis is busy running a script",
            "CLUSTERDOWN The cluster is down",
            "MASTERDOWN Link with MASTER is down",
            "READONLY You can't write against a read only replica.",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "MISCONF Redis is configured to save RDB snapshots",
            "NOREPLICAS Not enough good replicas to write.",
            "MOVED 3999 127.0.0.1:6381",
            "ERR is loading the dataset in memory",
        ] {
            assert_eq!(verdict(line), Verdict::TRANSIENT, "{line}");
        }
        for line in ["TRYAGAIN Multiple keys request during rehashing of slot", "ERR max number of clients reached"] {
            assert_eq!(verdict(line), BUSY, "{line}");
        }
        for line in [
            "NOAUTH Authentication required.",
            "WRONGPASS invalid username-password pair or user is disabled.",
            "NOPERM User has no permissions to run the 'get' command",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "ERR unknown command 'NONSENSE'",
            "NOSCRIPT No matching script.",
            "CROSSSLOT Keys in request don't hash to the same slot",
            "EXECABORT Transaction discarded because of previous errors.",
            "MYMODULE says no",
            "ERR loading",
        ] {
            assert_eq!(verdict(line), Verdict::Permanent, "{line}");
        }
    }

    /// A server that says this to each command.
    struct Answers(Vec<Value>);

    impl ConnectionLike for Answers {
        fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
            Ok(self.0.remove(0))
        }

        fn req_packed_commands(&mut self, _: &[u8], _: usize, _: usize) -> RedisResult<Vec<Value>> {
            Ok(std::mem::take(&mut self.0))
        }

        fn get_db(&self) -> i64 {
            0
        }

        fn check_connection(&mut self) -> bool {
            true
        }

        fn is_open(&self) -> bool {
            true
        }
    }

    #[test]
    fn of_a_pipelines_answers_the_lasting_one_decides() {
        let verdict = |lines: [&str; 2]| {
            let answers = lines.map(|line| redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap());
            let mut pipeline = redis::pipe();
            for _ in &answers {
                pipeline.cmd("PING");
            }
            pipeline.exec(&mut Answers(answers.into())).unwrap_err().classify()
        };
        assert_eq!(verdict(["LOADING it is", "ERR never"]), Verdict::Permanent);
        assert_eq!(verdict(["ERR never", "LOADING it is"]), Verdict::Permanent);
        assert_eq!(verdict(["CLUSTERDOWN it is", "TRYAGAIN it is"]), Verdict::TRANSIENT);
        assert_eq!(verdict(["TRYAGAIN it is", "MASTERDOWN it is"]), BUSY);
    }

    #[test]
    fn kinds_without_an_answer_have_a_verdict() {
        let verdict = |kind| RedisError::from((kind, "told by the client")).classify();
        assert_eq!(verdict(ErrorKind::Io), Verdict::TRANSIENT);
        assert_eq!(verdict(ErrorKind::Parse), Verdict::Permanent);
        assert_eq!(verdict(ErrorKind::ClusterConnectionNotFound), Verdict::TRANSIENT);
        assert_eq!(verdict(ErrorKind::MasterNameNotFoundBySentinel), Verdict::TRANSIENT);
        assert_eq!(verdict(ErrorKind::NoValidReplicasFoundBySentinel), Verdict::TRANSIENT);
        assert_eq!(verdict(ErrorKind::AuthenticationFailed), Verdict::Permanent);
        assert_eq!(verdict(ErrorKind::UnexpectedReturnType), Verdict::Permanent);
        assert_eq!(verdict(ErrorKind::InvalidClientConfig), Verdict::Ignored);
        assert_eq!(verdict(ServerErrorKind::ReadOnly.into()), Verdict::TRANSIENT);
        assert_eq!(verdict(ServerErrorKind::NoPerm.into()), Verdict::Permanent);
    }

    #[test]
    fn lost_connections_are_transient() {
        for kind in
            [io::ErrorKind::ConnectionRefused, io::ErrorKind::UnexpectedEof, io::ErrorKind::TimedOut, io::ErrorKind::NotFound]
        {
            assert_eq!(RedisError::from(io::Error::from(kind)).classify(), Verdict::TRANSIENT, "{kind}");
        }
        assert_eq!(RedisError::from(io::Error::from(io::ErrorKind::InvalidInput)).classify(), Verdict::Ignored);
    }

    #[test]
    fn a_refusal_inside_stays_a_refusal() {
        let refusal = Refusal { function: "f", resource: None, attempts: 0, time: Time::NONE };
        assert_eq!(RedisError::from(Rejected::CircuitOpen(refusal)).classify(), Verdict::Ignored);
        let boxed: Box<dyn Error> = RedisError::from(Rejected::CircuitOpen(refusal)).into();
        assert_eq!(boxed.classify(), Verdict::Ignored);
    }

    #[test]
    fn a_boxed_error_is_recognised() {
        let boxed: Box<dyn Error + Send + Sync> = RedisError::from((ErrorKind::AuthenticationFailed, "wrong")).into();
        assert_eq!(boxed.classify(), Verdict::Permanent);
    }
}
