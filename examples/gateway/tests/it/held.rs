//! A shop that answers when it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

const WATCHDOG: Duration = Duration::from_secs(30);

pub(crate) struct Held {
    pub(crate) url: String,
    arrived: Receiver<()>,
    answers: Sender<()>,
}

impl Held {
    /// Prices wait for [`answer`](Self::answer); stock is known at once.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (arrivals, arrived) = channel();
        let (answers, told) = channel();
        thread::spawn(move || serve(&listener, &arrivals, &told));
        Self { url, arrived, answers }
    }

    pub(crate) fn wait_for_request(&self) {
        self.arrived.recv_timeout(WATCHDOG).unwrap();
    }

    pub(crate) fn answer(&self) {
        self.answers.send(()).unwrap();
    }
}

/// Two connections: one for the price, one for the stock, in whatever order.
fn serve(listener: &TcpListener, arrivals: &Sender<()>, told: &Receiver<()>) {
    let mut price = None;
    for stream in listener.incoming().take(2).map(Result::unwrap) {
        if request(&stream).contains("/prices/") {
            price = Some(stream);
        } else {
            answer(stream, r#"{"units":3}"#);
        }
    }
    arrivals.send(()).unwrap();
    told.recv_timeout(WATCHDOG).unwrap();
    answer(price.unwrap(), r#"{"cents":1250}"#);
}

fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.take_while(|line| !line.is_empty()).collect()
}

fn answer(mut stream: TcpStream, body: &str) {
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
}
