//! The curves: a row for each way to call, a column for each act, all on one scale of time.

use crate::figures::{Figures, SLICE, Slice};
use crate::storm::Played;
use std::fmt::{self, Display, Write as _};
use std::time::Duration;

const WIDTH: f64 = 1120.0;
const MARGIN: f64 = 28.0;
const LABELS: f64 = 214.0;
const GAP: f64 = 36.0;
const TOP: f64 = 170.0;
const ROW: f64 = 104.0;
const SUCCESS: f64 = 40.0;
const REQUESTS: f64 = 32.0;
const BETWEEN: f64 = 4.0;
const FOOT: f64 = 44.0;
const MOST_REQUESTS: f64 = 900.0;

/// Okabe and Ito's colours, which the colour-blind can tell apart.
const BLUE: &str = "#0072b2";
const ORANGE: &str = "#e69f00";
const RED: &str = "#a63c00";
const INK: &str = "#1f2430";
const QUIET: &str = "#5b6270";
const PAPER: &str = "#eef0f3";
const BAND: &str = "#1f2430";

pub(crate) fn svg(played: &[Played]) -> String {
    let rows = played.iter().map(|act| act.figures.len()).max().unwrap_or(0);
    let height = TOP + ROW * index(rows) + FOOT;
    let mut picture = Picture::new(height);
    picture.head();
    let scale = scale(played);
    let mut left = MARGIN + LABELS;
    for (number, act) in played.iter().enumerate() {
        let column = Column { left, scale, length: act.act.length };
        picture.column(&column, act, number == 0);
        left = column.right() + GAP;
    }
    picture.end()
}

/// Pixels for a second, the same in all acts.
fn scale(played: &[Played]) -> f64 {
    let seconds: f64 = played.iter().map(|act| act.act.length.as_secs_f64()).sum();
    (WIDTH - 2.0 * MARGIN - LABELS - GAP * index(played.len().saturating_sub(1))) / seconds
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds at most")]
fn index(number: usize) -> f64 {
    number as f64
}

/// Where an act's time is on the paper.
struct Column {
    left: f64,
    scale: f64,
    length: Duration,
}

impl Column {
    fn x(&self, moment: Duration) -> f64 {
        self.left + self.scale * moment.as_secs_f64()
    }

    fn right(&self) -> f64 {
        self.x(self.length)
    }

    fn width(&self) -> f64 {
        self.right() - self.left
    }
}

struct Picture(String);

impl Picture {
    fn new(height: f64) -> Self {
        let mut picture = Self(String::new());
        picture.add(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             style=\"max-width: 100%; height: auto\" font-family=\"'Noto Sans', 'Helvetica Neue', Arial, sans-serif\" role=\"img\" \
             aria-label=\"Success of calls and requests at the server over time, for six ways to call it\">"
        ));
        picture.add(format_args!("<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>"));
        picture
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    fn head(&mut self) {
        self.text(MARGIN, 42.0, "One outage, six ways to call", &Style::new(24.0).bold());
        let subtitle = "200 calls a second, whatever comes of them; an attempt is given up after 100 ms. The server works off 300 requests a second, \
                        also those whose caller has gone.";
        self.text(MARGIN, 66.0, subtitle, &Style::new(13.0).fill(QUIET));
        let legend = [
            (BLUE, 1.0, "calls that go well, 0 to 100 %", 0.0),
            (ORANGE, 1.0, "requests that reach the server, 0 to 900 a second", 230.0),
            (BAND, 0.16, "the fault", 570.0),
        ];
        for (colour, opacity, what, offset) in legend {
            self.rect(MARGIN + offset, 83.0, 12.0, 12.0, colour, opacity);
            self.text(MARGIN + offset + 18.0, 93.5, what, &Style::new(13.0));
        }
        self.dashes(MARGIN + 670.0, MARGIN + 692.0, 89.0);
        self.text(MARGIN + 698.0, 93.5, "300 a second, all that it can do", &Style::new(13.0));
    }

    fn column(&mut self, column: &Column, played: &Played, is_first: bool) {
        let (title, fault) = (played.act.title, &played.act.fault.during);
        self.text(column.left, TOP - 38.0, title, &Style::new(15.0).bold());
        let bottom = TOP + ROW * index(played.figures.len()) - ROW + SUCCESS + BETWEEN + REQUESTS;
        for (number, figures) in played.figures.iter().enumerate() {
            let top = TOP + ROW * index(number);
            if is_first {
                self.text(MARGIN, top + 17.0, figures.contender.name(), &Style::new(14.0).bold());
                self.text(MARGIN, top + 35.0, figures.contender.explanation(), &Style::new(11.5).fill(QUIET));
            }
            self.panel(column, figures, top, fault.end);
        }
        let (begin, end) = (column.x(fault.start), column.x(fault.end));
        self.rect(begin, TOP - 8.0, end - begin, bottom - TOP + 8.0, BAND, 0.13);
        let word = format!("{} s", fault.end.saturating_sub(fault.start).as_secs());
        self.text(f64::midpoint(begin, end), TOP - 14.0, &word, &Style::new(11.5).fill(QUIET).anchor("middle"));
        self.axis(column, bottom);
    }

    fn panel(&mut self, column: &Column, figures: &Figures, top: f64, fault_ends: Duration) {
        let below = top + SUCCESS + BETWEEN;
        self.rect(column.left, top, column.width(), SUCCESS, PAPER, 1.0);
        self.rect(column.left, below, column.width(), REQUESTS, PAPER, 1.0);
        self.area(column, top + SUCCESS, SUCCESS, BLUE, figures, well);
        self.area(column, below + REQUESTS, REQUESTS, ORANGE, figures, pressed);
        self.dashes(column.left, column.right(), below + REQUESTS * (1.0 - 300.0 / MOST_REQUESTS));
        let digits = if figures.requests_per_call < 0.1 { 3 } else { 1 };
        let per_call = format!("{:.digits$} requests a call, while down", figures.requests_per_call);
        self.text(column.right(), below + REQUESTS + 13.0, &per_call, &Style::new(11.0).fill(QUIET).anchor("end"));
        self.verdict(column, figures.back_after, top, fault_ends);
    }

    /// From the end of the fault until all is well.
    fn verdict(&mut self, column: &Column, back_after: Option<Duration>, top: f64, fault_ends: Duration) {
        let (middle, from) = (top + SUCCESS / 2.0, column.x(fault_ends));
        let Some(after) = back_after else {
            return self.text(from + 10.0, middle + 5.0, "never well again", &Style::new(13.0).bold().fill(RED));
        };
        let to = column.x(fault_ends + after);
        if to - from > 4.0 {
            self.add(format_args!(
                "<path d=\"M{from:.1} {middle:.1}H{to:.1}M{to:.1} {:.1}v12\" stroke=\"{INK}\" stroke-width=\"1.5\" fill=\"none\"/>",
                middle - 6.0
            ));
        }
        let words = if after < SLICE { "at once".to_owned() } else { format!("after {:.1} s", after.as_secs_f64()) };
        self.text(to + 8.0, middle + 5.0, &words, &Style::new(13.0).bold().fill("#ffffff"));
    }

    fn area(&mut self, column: &Column, base: f64, height: f64, colour: &str, figures: &Figures, share: fn(&Slice) -> f64) {
        let mut path = format!("M{:.1} {base:.1}", column.left);
        for (number, slice) in figures.curve.iter().enumerate() {
            let (from, y) =
                (column.left + column.scale * SLICE.as_secs_f64() * index(number), base - height * share(slice).min(1.0));
            let to = from + column.scale * SLICE.as_secs_f64();
            let _ = write!(path, "L{from:.1} {y:.1}H{to:.1}");
        }
        self.add(format_args!("<path d=\"{path}V{base:.1}Z\" fill=\"{colour}\"/>"));
    }

    fn axis(&mut self, column: &Column, bottom: f64) {
        for second in (0..=column.length.as_secs()).step_by(2) {
            let x = column.x(Duration::from_secs(second));
            self.add(format_args!("<path d=\"M{x:.1} {:.1}v5\" stroke=\"{QUIET}\"/>", bottom + 20.0));
            let words = if second == 0 { "0 s".to_owned() } else { second.to_string() };
            self.text(x, bottom + 38.0, &words, &Style::new(11.5).fill(QUIET).anchor("middle"));
        }
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str, opacity: f64) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>"
        ));
    }

    fn dashes(&mut self, from: f64, to: f64, y: f64) {
        self.add(format_args!(
            "<path d=\"M{from:.1} {y:.1}H{to:.1}\" stroke=\"{INK}\" stroke-width=\"0.8\" stroke-dasharray=\"3 3\" stroke-opacity=\"0.7\"/>"
        ));
    }

    fn text(&mut self, x: f64, y: f64, words: &str, style: &Style) {
        self.add(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\"{style}>{words}</text>"));
    }

    fn add(&mut self, element: fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{element}");
    }
}

fn well(slice: &Slice) -> f64 {
    f64::from(slice.successes) / f64::from(slice.calls.max(1))
}

fn pressed(slice: &Slice) -> f64 {
    f64::from(slice.requests) / SLICE.as_secs_f64() / MOST_REQUESTS
}

struct Style {
    size: f64,
    weight: u32,
    fill: &'static str,
    anchor: &'static str,
}

impl Style {
    fn new(size: f64) -> Self {
        Self { size, weight: 400, fill: INK, anchor: "start" }
    }

    fn bold(self) -> Self {
        Self { weight: 700, ..self }
    }

    fn fill(self, fill: &'static str) -> Self {
        Self { fill, ..self }
    }

    fn anchor(self, anchor: &'static str) -> Self {
        Self { anchor, ..self }
    }
}

impl Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, weight, fill, anchor } = self;
        write!(f, " font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{fill}\" text-anchor=\"{anchor}\"")
    }
}
