//! What a screen says, broken in every way.

use super::{parse, received};
use axum::extract::ws::Message;
use minato_protocol::act::{Act, Disposition, Duty, HandedFrame, Invitation, Triage};
use minato_protocol::reading::{Hex, Quantity, ReadingId, TypedValue, Unit};
use minato_protocol::view::ViewName;
use minato_protocol::wire::{FromScreen, Have, MESSAGE_BYTES_MAX, VERSION};
use minato_protocol::{Code, Person, RoomId, StaffId, SubjectId, TicketId, Timestamp, VisitId};

/// As a socket gives it, through both checks.
fn hear(text: &str) -> Result<FromScreen, Code> {
    let message = received(Ok(Message::Text(text.into())))?.ok_or(Code::NotUnderstood)?;
    parse(&message)
}

fn seeds() -> Vec<String> {
    let (room, ticket, visit) = (RoomId(1), TicketId(2), VisitId(3));
    let reading = ReadingId(Hex([5; 16]));
    let kilograms = "61.5".parse().expect("a number");
    let person = Person { name: "佐藤 ハナ".into(), ..Person::default() };
    let invited = Invitation { person, triage: Triage::Urgent, first_visit: true };
    let acts = [
        Act::Invite { room, people: vec![invited.clone(), invited] },
        Act::SetDuty { room, duty: Duty::On },
        Act::CallNext { room },
        Act::Answer { ticket, epoch: 4 },
        Act::OfferHandOver { ticket, epoch: 4, to: StaffId(5) },
        Act::WatchReadings { subject: SubjectId(6), after: 7 },
        Act::SettleReading {
            reading,
            ticket,
            code: "K-27".into(),
            birth_date: "1944-12-01".into(),
            reason: "受付の前".into(),
        },
        Act::EnterReading {
            ticket,
            values: vec![TypedValue {
                what: Quantity::Weight,
                value: kilograms,
                unit: Unit::Pound,
            }],
            measured_at: Some(Timestamp(8)),
            corrects: Some(reading),
            reason: "別の値".into(),
        },
        Act::HandFrames {
            ticket,
            device: "cuff".parse().expect("a name"),
            model: "HEM-7600T".into(),
            frames: vec![HandedFrame {
                characteristic: "2A35".into(),
                bytes: "00780050005a00".parse().expect("hex"),
                at: Timestamp(8),
                boot: Hex([1; 8]),
                sequence: 9,
            }],
        },
        Act::EndVisit {
            ticket,
            epoch: 4,
            disposition: Disposition::Treated,
            note: "また来月".into(),
        },
    ];
    let have = Have { view: ViewName::Tickets, epoch: 1, version: 2, hash: 3 };
    let mut said = vec![
        FromScreen::Hello { version: VERSION, have: vec![have, have] },
        FromScreen::Resync { view: ViewName::Alerts },
        FromScreen::WatchChat { visit, after: 9 },
        FromScreen::Pong,
    ];
    said.extend(acts.map(|act| FromScreen::Do { key: "press-0001".into(), act }));
    said.iter().map(|said| serde_json::to_string(said).expect("JSON")).collect()
}

#[test]
fn no_word_of_a_screen_breaks_the_socket_and_what_is_understood_can_be_said_again() {
    let seeds = seeds();
    for seed in &seeds {
        assert!(hear(seed).is_ok(), "{seed}");
    }
    let long = seeds[0].clone() + &" ".repeat(MESSAGE_BYTES_MAX);
    assert_eq!(hear(&long), Err(Code::TooLarge));
    for deep in ["[", "{\"type\":", "{\"type\":\"do\",\"act\":"] {
        let deep = deep.repeat(MESSAGE_BYTES_MAX / deep.len());
        assert_eq!(hear(&deep), Err(Code::NotUnderstood));
    }
    let seeds: Vec<&[u8]> = seeds.iter().map(String::as_bytes).collect();
    minato_fuzz::feed_for("from_screen", &seeds, 4, |bytes| {
        let Ok(said) = hear(&String::from_utf8_lossy(bytes)) else { return };
        let again = serde_json::to_string(&said).expect("JSON");
        assert_eq!(hear(&again), Ok(said), "{again}");
    });
}
