//! Many three-person visits at once: sound, thumbnails, and how late they are.

use crate::forward::film::THUMBNAIL;
use crate::forward::minato::Minato;
use crate::forward::tally::Tally;
use crate::forward::{Cast, measure, own_address, share};
use std::sync::Arc;
use std::time::Duration;

const MEASURED: Duration = Duration::from_secs(15);
const VISITS: [u64; 3] = [10, 20, 30];
const CAST: Cast = Cast { publishers: 3, listeners: 0, film: THUMBNAIL };

pub(crate) async fn run() -> anyhow::Result<()> {
    let (relay, tally) = (Minato::start(own_address()?)?, Arc::new(Tally::new()));
    println!(
        "visits: three people each, sound and a thumbnail; goal: no sound lost, p99 at most 20 ms"
    );
    let mut people = Vec::new();
    let mut seated = 0;
    for visits in VISITS {
        for visit in seated + 1..=visits {
            people.extend(Box::pin(relay.seat(visit, CAST, &tally)).await?);
        }
        seated = visits;
        let figures = measure(&relay.process, &tally, CAST, MEASURED, false).await?;
        let (sounds, pictures) = (&figures.counts.sounds, &figures.counts.pictures);
        println!(
            "  {visits} visits: {} of {} sounds, late {}; {} of {} pictures; relay {:.0} % of a core, {} kB; generator {:.0} %",
            sounds.arrived,
            sounds.sent * CAST.copies(),
            sounds.delays,
            pictures.arrived,
            pictures.sent * CAST.copies(),
            share(figures.server, MEASURED),
            relay.process.resident_kb()?,
            share(figures.generator, MEASURED),
        );
    }
    Ok(())
}
