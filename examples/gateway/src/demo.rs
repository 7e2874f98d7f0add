//! A shop that fails, for those who have none.

use crate::shop::Shop;
use flaky_server::{Answer, FlakyServer};

pub(crate) fn start() -> anyhow::Result<(Shop, FlakyServer)> {
    let server = FlakyServer::start()?;
    for product in 1..=5 {
        server.otherwise(&format!("/prices/{product}"), Answer::json(200, r#"{"cents":1250}"#))?;
        server.otherwise(&format!("/stock/{product}"), Answer::json(200, r#"{"units":3}"#))?;
    }
    server.script("/prices/2", [Answer::status(503), Answer::reset_before()])?;
    server.outage("/stock/3", Answer::never())?;
    server.outage("/prices/4", Answer::status(404))?;
    server.outage("/prices/5", Answer::status(500))?;
    println!("GATEWAY_UPSTREAM is not set; here is a shop that fails");
    println!("    /products/1  is well");
    println!("    /products/2  has a price at the third attempt");
    println!("    /products/3  has no stock that anybody knows of");
    println!("    /products/4  is not there");
    println!("    /products/5  has a price that cannot be read: ask twice, then for another");
    Ok((Shop::at(server.url("/").parse()?)?, server))
}
