//! What the relay tells an operator: it can be counted, and it names nobody.

use crate::call::{speak_and_show, while_doing_for};
use crate::page::Page;
use crate::peer::{Peer, Sort};
use crate::stage::{ABE, FACE, PATIENCE, SATO, TestRelay, VISIT, claims};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use minato_protocol::media::PartyRole;
use minato_relay::{TurnSecret, TurnSettings};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use str0m::net::Protocol;
use tokio::net::UdpSocket;

/// Counts what happens in this process from the first call on, in all tests that run in it.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().expect("the only one"))
}

/// A count; 0 while it is not there.
pub(crate) fn count(name: &str) -> f64 {
    let page = recorder().render();
    let row = page.lines().find_map(|row| row.strip_prefix(name)?.strip_prefix(' '));
    row.map_or(0.0, |value| value.parse().expect("a number"))
}

/// What an operator wants to know, during a call. `{` stands where labels follow.
const WANTED: [&str; 17] = [
    "minato_relay_sessions ",
    "minato_relay_visits ",
    "minato_relay_tcp_connections ",
    "minato_relay_packets_in_total ",
    "minato_relay_packets_out_total ",
    "minato_relay_bytes_out_total ",
    "minato_relay_joins_total ",
    "minato_relay_pages{step=\"full\"} ",
    "minato_relay_pictures{layer=\"whole\"} ",
    "minato_relay_loss_ratio{direction=\"in\",quantile=\"0.9\"} ",
    "minato_relay_loss_ratio{direction=\"out\",quantile=\"0.5\"} ",
    "minato_relay_rtt_seconds{quantile=\"1\"} ",
    "minato_relay_dropped_total{reason=\"",
    "minato_relay_refused_total{code=\"token_malformed\"} ",
    "minato_turn_allocations ",
    "minato_turn_packets_in_total{side=\"client\"} ",
    "minato_turn_refused_total{code=\"401\"} ",
];

/// Labels, and what their values look like: words that are written in the source, a share, or an
/// error's code in three digits. No id and no address looks like that.
fn may_be_told(label: &str, value: &str) -> bool {
    let of_letters = |value: &str| value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match label {
        "quantile" => ["0.5", "0.9", "1"].contains(&value),
        "code" => of_letters(value) || value.parse().is_ok_and(|code| (300..600).contains(&code)),
        "reason" | "step" | "layer" | "direction" | "side" | "to" => of_letters(value),
        _ => false,
    }
}

fn labels(row: &str) -> Vec<(&str, &str)> {
    let Some((_, rest)) = row.split_once('{') else { return Vec::new() };
    let (labels, _) = rest.split_once('}').expect("a whole row");
    labels
        .split("\",")
        .map(|label| label.split_once("=\"").expect("a label with a value"))
        .map(|(label, value)| (label, value.trim_end_matches('"')))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_reads_what_a_call_is_like_and_never_whose_it_is() {
    recorder();
    let relay = TestRelay::with(|config| {
        config.tcp_bind = vec![([127, 0, 0, 1], 0).into()];
        let mut turn = TurnSettings::new(TurnSecret::new(&[7; 32]).expect("long enough"));
        turn.udp = vec![([127, 0, 0, 1], 0).into()];
        config.turn = Some(turn);
    })
    .await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, PartyRole::Doctor, FACE), Sort::Page).await;
    let sato = claims(SATO, PartyRole::Patient, FACE);
    let mut page = Page::join(&relay, &sato, Protocol::Tcp).await;
    let refused = relay.ask(axum::http::Method::POST, "/relay/sessions", "", "", "").await;
    assert!(refused.status.is_client_error());
    let media = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    media.send_to(&[0xff; 30], relay.relay.media_addresses()[0]).await.expect("sent");
    let allocate = [0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let turn = relay.relay.turn_addresses().expect("TURN runs").udp[0];
    media.send_to(&allocate, turn).await.expect("sent");
    let told = while_doing_for(PATIENCE * 2, speak_and_show(&abe), async {
        page.gets(50, 5).await;
        let until = Instant::now() + PATIENCE;
        loop {
            let told = recorder().render();
            let missing: Vec<_> = WANTED.iter().filter(|name| !told.contains(**name)).collect();
            // Relays of other tests write the same gauge.
            if missing.is_empty() && count("minato_relay_sessions") >= 1.0 {
                return told;
            }
            assert!(Instant::now() < until, "{missing:?} in {told}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    for row in told.lines().filter(|row| !row.starts_with('#')) {
        for (label, value) in labels(row) {
            assert!(may_be_told(label, value), "{row}");
        }
    }
    let own = [&page.answer.session, &page.answer.secret, &abe.session.session, &sato.jti];
    let own = own.into_iter().cloned().chain([VISIT.to_string(), SATO.to_string()]);
    for name in own.chain(["127.0.0.1".to_owned()]) {
        assert!(!told.contains(&name), "{name} in {told}");
    }
}
