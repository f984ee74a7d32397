//! An upstream that sells three products in a market for each fault, and answers one of them with it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::percent_decode_str;
use price_cache_simulator::raw::{Asked, RawServer, Reply, answer};

use super::row::{AMOUNT, FAULTY, Met, Row, body, document};

/// The products of each market.
pub(crate) const PRODUCTS: [&str; 3] = ["before", FAULTY, "after"];

/// A running upstream.
pub(crate) struct Upstream {
    server: RawServer,
    is_well: Arc<AtomicBool>,
}

/// The segments of a target's path, decoded.
pub(crate) fn segments(target: &str) -> Vec<String> {
    let path = target.split('?').next().unwrap_or_default();
    path.split('/')
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

impl Upstream {
    /// Where it is.
    pub(crate) async fn start(rows: &[Row]) -> anyhow::Result<Self> {
        let is_well = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_well);
        let faults: HashMap<_, _> = rows.iter().map(|row| (row.fault, row.met.clone())).collect();
        let server = RawServer::start(move |asked| match seen.load(Ordering::Relaxed) {
            true => good(asked),
            false => fault(&faults, asked).unwrap_or_else(|| good(asked)),
        });
        Ok(Self { server: server.await?, is_well })
    }

    /// Faults come, or not.
    pub(crate) fn set_well(&self, is_well: bool) {
        self.is_well.store(is_well, Ordering::Relaxed);
    }

    /// How often a market's product that meets the fault was asked for.
    pub(crate) fn requests(&self, market: &str) -> usize {
        let wanted = ["price", market, FAULTY];
        self.server.calls().iter().filter(|call| segments(call.target()) == wanted).count()
    }

    /// No market ever had two requests under way at once.
    pub(crate) fn was_asked_one_by_one(&self) -> anyhow::Result<()> {
        let market = |target: &str| segments(target).into_iter().nth(1).unwrap_or_default();
        match self.server.two_at_once(market) {
            Some((one, other)) => anyhow::bail!("two at once: {} and {}", one.target(), other.target()),
            None => Ok(()),
        }
    }

    /// The configuration of a source for these rows, which may ask some places more.
    pub(crate) fn source(&self, rows: &[Row], allowed: &[String]) -> String {
        let base_url = &self.server.base_url;
        let markets: Vec<_> = rows.iter().map(|row| row.fault).collect();
        let mut toml = format!("[source]\nbase_url = \"{base_url}\"\n");
        let _ = writeln!(toml, "markets.list = {markets:?}\nproducts.list = {PRODUCTS:?}");
        toml.push_str(
            "[source.price]\nurl = \"/price/{market}/{product}\"\namount = \"$.amount\"\n\
             currency = \"$.currency\"\nexpected_currency = \"EUR\"\nproduct_check = \"$.product\"\n\
             [source.limits]\nconnect = \"500ms\"\nfirst_byte = \"1s\"\ntotal = \"2s\"\n",
        );
        let _ = writeln!(toml, "allow_redirects_to = {allowed:?}");
        toml
    }
}

fn fault(faults: &HashMap<&'static str, Met>, asked: &Asked) -> Option<Reply> {
    let [_, market, product] = segments(asked.target()).try_into().ok()?;
    let met = faults.get(market.as_str()).filter(|_| product == FAULTY)?;
    match met {
        Met::Always(reply) => Some(reply.clone()),
        Met::Once(reply) => (asked.earlier_for_target == 0).then(|| reply.clone()),
    }
}

fn good(asked: &Asked) -> Reply {
    match segments(asked.target()).as_slice() {
        [_, _, product] => body(document(product, AMOUNT)),
        _ => answer("404 Not Found", "", ""),
    }
}
