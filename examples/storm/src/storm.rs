//! Both acts, on loopback, and what they must show.

use crate::act::Act;
use crate::client::HttpClient;
use crate::contender::Contender;
use crate::figures::Figures;
use crate::play::play;
use crate::server::serve;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Played {
    pub(crate) act: Act,
    pub(crate) figures: Vec<Figures>,
}

impl Played {
    pub(crate) fn of(&self, contender: Contender) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.contender == contender)
    }
}

pub(crate) fn acts(is_short: bool) -> [Act; 2] {
    if is_short { [Act::outage(SECOND, 2 * SECOND), Act::stall(SECOND, 3 * SECOND)] } else { [outage(), stall()] }
}

/// Long enough for the circuit to open three times: for 1, 2 and 4 s.
pub(crate) fn outage() -> Act {
    Act::outage(6 * SECOND, 5 * SECOND)
}

pub(crate) fn stall() -> Act {
    Act::stall(2 * SECOND, 15 * SECOND)
}

pub(crate) async fn run(act: Act) -> anyhow::Result<Played> {
    let figures = play(&act, &Contender::ALL, async |upstream| Ok(HttpClient::new(serve(upstream).await?)?)).await?;
    Ok(Played { act, figures })
}
