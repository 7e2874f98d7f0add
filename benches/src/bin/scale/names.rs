//! Breakers, buckets and bulkheads with so many names, configured from a file.

use crate::{bytes, nanos, per, said};
use resilient::{CircuitBreaker, Rejected, configure, resilient};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const CALLS: usize = 200_000;
const ROUNDS: usize = 30;
/// What takes as long as there are names is asked for less often.
const LONG_ROUNDS: usize = 3;
const QUICK: [&str; 3] = ["call", "find", "create"];
const LONG: [&str; 5] = ["install", "unchanged", "changed", "catalog", "unused"];

#[inline(never)]
#[resilient(breaker = "scale 0", bucket(name = "scale 0", rate = 500_000_000), bulkhead(name = "scale 0", concurrency = 64))]
fn call(number: usize) -> Result<usize, Rejected> {
    Ok(black_box(number))
}

fn name(number: usize) -> String {
    format!("scale {number}")
}

fn create(from: usize, count: usize) {
    for number in from..from + count {
        let name = name(number);
        black_box((resilient::breaker(&name), resilient::bucket(&name), resilient::bulkhead(&name)));
    }
}

/// What configures all of them; each version says something else of each.
fn file(count: usize, version: u64) -> String {
    let mut text = String::new();
    for number in 0..count {
        let (rate, calls) = (500_000_000 + version % 2, 64 + version % 2);
        let _ = write!(
            text,
            "[breakers.\"scale {number}\"]\nfailure_threshold = {calls}\n[buckets.\"scale {number}\"]\nrate = \"{rate}/s\"\n[bulkheads.\"scale {number}\"]\nconcurrency = {calls}\n"
        );
    }
    text
}

/// One process with so many names: answers each line with nanoseconds.
pub(crate) fn serve(count: usize) {
    let path = std::env::temp_dir().join(format!("resilient-scale-{}.toml", std::process::id()));
    let write = |version| std::fs::write(&path, file(count, version)).is_ok();
    let breaker = |name: &str| _ = black_box(resilient::breaker(name));
    let bucket = |name: &str| _ = black_box(resilient::bucket(name));
    let bulkhead = |name: &str| _ = black_box(resilient::bulkhead(name));
    let kinds: [&dyn Fn(&str); 3] = [&breaker, &bucket, &bulkhead];
    let names: Vec<_> = (0..count).map(name).collect();
    let (mut each, mut time) = (Vec::new(), std::time::Duration::ZERO);
    for kind in kinds {
        let (bytes, took) = bytes(|| names.iter().for_each(|name| kind(name)));
        each.push(bytes / i64::try_from(count).unwrap_or(1));
        time += took;
    }
    println!("{} {} {} {}", each[0], each[1], each[2], per(time, 3 * count));
    let (mut made, mut version) = (count, 0);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let nanos = match line.as_str() {
            "call" => nanos(CALLS, |number| assert!(black_box(call(black_box(number))).is_ok())),
            "find" => nanos(20_000, |number| _ = black_box(resilient::breaker(&names[number.wrapping_mul(7_919) % count]))),
            "create" => {
                made += 20;
                nanos(1, |_| create(made, 20)) / 60.0
            }
            "install" if write(version) => nanos(1, |_| assert!(configure().file(&path).install().is_ok())),
            "unchanged" => nanos(1, |_| assert!(resilient::reload().is_ok())),
            "changed" => {
                version += 1;
                assert!(write(version));
                nanos(1, |_| assert!(resilient::reload().is_ok()))
            }
            "catalog" => nanos(10, |_| _ = black_box(resilient::catalog())),
            "unused" => {
                let all = |configuration: resilient::Configuration, number: usize| {
                    configuration.breaker(format!("forgotten {number}"), CircuitBreaker::new().failure_threshold(3))
                };
                let configuration = (0..count).fold(configure(), all).lenient();
                let start = std::time::Instant::now();
                assert!(configuration.install().is_ok());
                per(start.elapsed(), 1)
            }
            _ => break,
        };
        println!("{nanos}");
    }
    let _ = std::fs::remove_file(&path);
}

struct Server {
    count: usize,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    created: Vec<f64>,
    best: [f64; QUICK.len() + LONG.len()],
}

impl Server {
    fn start(count: usize) -> Option<Self> {
        let mut command = Command::new(std::env::current_exe().ok()?);
        let mut child = command.args(["names", &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let best = [f64::MAX; QUICK.len() + LONG.len()];
        let mut server = Self { count, child, input, output, created: Vec::new(), best };
        server.created = server.answer().split(' ').filter_map(|word| word.parse().ok()).collect();
        Some(server)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        let _ = self.output.read_line(&mut line);
        line.trim().to_owned()
    }

    fn ask(&mut self, index: usize, question: &str) {
        if writeln!(self.input, "{question}").is_ok() {
            let answer = self.answer().parse().unwrap_or(f64::MAX);
            self.best[index] = self.best[index].min(answer);
        }
    }
}

pub(crate) fn table(counts: &[usize]) {
    let mut servers: Vec<_> = counts.iter().filter_map(|count| Server::start(*count)).collect();
    for _ in 0..ROUNDS {
        for (index, question) in QUICK.iter().enumerate() {
            for server in &mut servers {
                server.ask(index, question);
            }
        }
    }
    for _ in 0..LONG_ROUNDS {
        for (index, question) in LONG.iter().enumerate() {
            for server in &mut servers {
                server.ask(QUICK.len() + index, question);
            }
        }
    }
    println!(
        "| names of each kind | create all, each | one more | bytes: breaker, bucket, bulkhead | call of one | ratio | find by name | install their file | reload, nothing changed | reload, all changed | install as many that nobody uses | catalogue |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let first = servers.first().map_or(1.0, |server| server.best[0]);
    for server in &mut servers {
        let [call, find, create, install, unchanged, changed, catalog, unused] = server.best;
        let created = |index: usize| server.created.get(index).copied().unwrap_or(f64::NAN);
        println!(
            "| {} | {} | {} | {}, {}, {} | {} | {:.2} | {} | {} | {} | {} | {} | {} |",
            server.count,
            said(created(3)),
            said(create),
            created(0),
            created(1),
            created(2),
            said(call),
            call / first,
            said(find),
            said(install),
            said(unchanged),
            said(changed),
            said(unused),
            said(catalog)
        );
    }
    for mut server in servers {
        let _ = writeln!(server.input, "end");
        let _ = server.child.wait();
    }
}
