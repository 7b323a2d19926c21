//! What a broker says to a gateway, broken in every way.

use super::session::parse;
use minato_protocol::reading::Hex;
use minato_protocol::uplink::FromBroker;
use minato_protocol::{SiteId, StaffId, SubjectId, Timestamp, VisitId};

fn seeds() -> Vec<String> {
    let key = || "press-0001".parse().expect("a key");
    let device = || "C0:FF:EE:00:00:01".parse().expect("a device");
    let said = [
        FromBroker::Challenge { nonce: Hex([7; 32]) },
        FromBroker::Welcome {
            site: SiteId(1),
            now: Timestamp(1_700_000_000_000),
            pass_key: Some(Hex([3; 32])),
        },
        FromBroker::EndPass { holder: Hex([4; 8]), until: Timestamp(1_700_000_000_000) },
        FromBroker::Ack { through: 41 },
        FromBroker::Bind {
            key: key(),
            device: device(),
            subject: SubjectId(3),
            by: StaffId(9),
            takes_over: false,
        },
        FromBroker::Unbind { key: key(), device: device(), by: StaffId(9), subject: None },
        FromBroker::Measure { key: key(), device: device() },
        FromBroker::MediaGrant {
            visit: VisitId(5),
            subject: SubjectId(3),
            relay_url: "http://127.0.0.1:8081".into(),
            token: "a.b".into(),
        },
        FromBroker::MediaRevoke { visit: VisitId(5) },
        FromBroker::Ping { nonce: 6 },
    ];
    said.iter().map(|said| serde_json::to_string(said).expect("JSON")).collect()
}

#[test]
fn no_word_of_a_broker_breaks_the_gateway_and_what_is_understood_can_be_said_again() {
    let seeds = seeds();
    assert!(seeds.iter().all(|seed| parse(seed).is_ok()));
    let seeds: Vec<&[u8]> = seeds.iter().map(String::as_bytes).collect();
    minato_fuzz::feed_for("from_broker", &seeds, 4, |bytes| {
        let Ok(said) = parse(&String::from_utf8_lossy(bytes)) else { return };
        let again = serde_json::to_string(&said).expect("JSON");
        assert_eq!(parse(&again).ok(), Some(said), "{again}");
    });
}
