//! Pictures beside typed values: who puts one there, who sees it, what is none, and what stays of one
//! whose way was cut off.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::entry::HttpRefusal;
use minato_protocol::photo::{PHOTO_BYTES_MAX, PHOTOS_MAX, PhotoId};
use minato_protocol::reading::{Quantity, ReadingId, TypedValue, Unit};
use minato_protocol::{Code, Span, TicketId};
use minato_signaling::blob::BlobStore as _;
use minato_signaling::http::Edge;
use minato_signaling::log::Fault;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire_support::{Broker, Screen, Seen, Ward, doctor_id, nurse_id};

/// The beginning of a JPEG, and something that is looked for on the disk.
fn picture(number: u8) -> Vec<u8> {
    [b"\xFF\xD8\xFF\xE0 a picture of 128/82 ".as_slice(), &[number; 200]].concat()
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn code(&self) -> Code {
        serde_json::from_slice::<HttpRefusal>(&self.body).expect("a refusal").code
    }

    fn photo(&self) -> PhotoId {
        assert_eq!(self.status, 201, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("a name")
    }
}

async fn ask(broker: &Broker, head: String, body: &[u8]) -> Answer {
    let at = broker.address;
    let head = format!("{head}Host: {at}\r\nConnection: close\r\n\r\n");
    let mut tcp = TcpStream::connect(at).await.expect("it listens");
    tcp.write_all(head.as_bytes()).await.expect("the head is taken");
    // Whoever is refused is not read to the end.
    let _ = tcp.write_all(body).await;
    let mut bytes = Vec::new();
    let _ = tcp.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("text").to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

async fn send(
    broker: &Broker,
    cookie: &str,
    (ticket, reading): (TicketId, ReadingId),
    picture: &[u8],
) -> Answer {
    let head = format!(
        "POST /api/photos HTTP/1.1\r\nOrigin: http://{}\r\nCookie: minato={cookie}\r\n\
         minato-ticket: {ticket}\r\nminato-reading: {reading}\r\nContent-Length: {}\r\n",
        broker.address,
        picture.len()
    );
    ask(broker, head, picture).await
}

async fn see(broker: &Broker, cookie: &str, photo: PhotoId) -> Answer {
    let head = format!("GET /api/photos/{photo} HTTP/1.1\r\nCookie: minato={cookie}\r\n");
    ask(broker, head, &[]).await
}

/// The value is typed first; its name comes back.
async fn typed(screen: &Screen, ticket: TicketId) -> ReadingId {
    let value = "128".parse().expect("a number");
    let values = vec![TypedValue { what: Quantity::Systolic, value, unit: Unit::MmHg }];
    let (measured_at, corrects, reason) = (None, None, String::new());
    let enter = Act::EnterReading { ticket, values, measured_at, corrects, reason };
    let outcome = screen.must(enter).await;
    let Outcome::Entered { reading } = outcome else { panic!("{outcome:?}") };
    reading
}

fn photos(ward: &Ward, seen: &Seen, id: ReadingId) -> Vec<PhotoId> {
    seen.reading(ward.subject, id).map(|row| row.photos.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_picture_stands_beside_its_value_for_those_who_see_the_value_and_for_nobody_else() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let (nurse, abe) = (broker.sign_in(nurse_id(1)).await, broker.sign_in(doctor_id(1)).await);
    let reading = typed(&ward.nurse, ward.ticket).await;
    let photo = send(broker, &nurse, (ward.ticket, reading), &picture(1)).await.photo();
    assert_eq!(send(broker, &nurse, (ward.ticket, reading), &picture(1)).await.photo(), photo);
    let told = |seen: &Seen| photos(&ward, seen, reading) == [photo];
    ward.doctor.until("the doctor is told of it, once", told).await;
    let begun = |seen: &Seen| Some(seen.readings_begun);
    assert_eq!(ward.doctor.find("the flow", begun).await, 1, "no tile went away for it");
    for cookie in [&nurse, &abe] {
        let seen = see(broker, cookie, photo).await;
        assert_eq!((seen.status, &seen.body), (200, &picture(1)));
        for line in [
            "content-type: image/jpeg",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "content-disposition: attachment; filename=\"display\"",
            "content-security-policy: default-src 'none'; sandbox",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(seen.head.contains(line), "{line} is not in {}", seen.head);
        }
    }
    let home = ward.clinic.at_home(7).await;
    let others = [doctor_id(2), nurse_id(2)];
    let mut cookies = vec![home.cookie.clone()];
    for staff in others {
        cookies.push(broker.sign_in(staff).await);
    }
    for cookie in cookies {
        assert_eq!(see(broker, &cookie, photo).await.code(), Code::NotAllowed);
        let sent = send(broker, &cookie, (ward.ticket, reading), &picture(2)).await;
        assert_eq!(sent.code(), Code::NotAllowed);
    }
    assert_eq!(see(broker, "none", photo).await.code(), Code::SignInFirst);
    assert_eq!(broker.blobs.count(), 1);
    // After the wrong patient nobody sees it, nor adds to it.
    ward.nurse.must(Act::WrongPatient { visit: ward.visit }).await;
    assert_eq!(see(broker, &nurse, photo).await.code(), Code::ReadingUnknown);
}

#[tokio::test]
async fn a_patient_puts_one_beside_an_own_value_and_beside_no_other() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let home = ward.clinic.at_home(7).await;
    let reading = typed(&home.screen, home.ticket).await;
    let photo = send(broker, &home.cookie, (home.ticket, reading), &picture(1)).await.photo();
    assert_eq!(see(broker, &home.cookie, photo).await.status, 200);
    let of_the_ward = typed(&ward.nurse, ward.ticket).await;
    for (ticket, reading) in [(ward.ticket, of_the_ward), (home.ticket, of_the_ward)] {
        let sent = send(broker, &home.cookie, (ticket, reading), &picture(2)).await;
        assert!([Code::NotAllowed, Code::ReadingUnknown].contains(&sent.code()));
    }
    // On the tablet's patient side, what the nurse typed is the nurse's.
    ward.nurse.must(Act::EnterPatientView { ticket: ward.ticket }).await;
    let tablet = broker.sign_in(nurse_id(1)).await;
    let sent = send(broker, &tablet, (ward.ticket, of_the_ward), &picture(3)).await;
    assert_eq!(sent.status, 201, "another session of hers is not in patient view");
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_or_too_many_is_refused_by_name_and_nothing_is_kept() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let nurse = broker.sign_in(nurse_id(1)).await;
    let reading = typed(&ward.nurse, ward.ticket).await;
    let to = (ward.ticket, reading);
    for bytes in [b"".as_slice(), b"GIF89a", b"<svg onload=alert(1)>", b"%PDF-1.7"] {
        assert_eq!(send(broker, &nurse, to, bytes).await.code(), Code::PhotoUnfit);
    }
    let long = [picture(1), vec![0; PHOTO_BYTES_MAX]].concat();
    assert_eq!(send(broker, &nurse, to, &long).await.code(), Code::TooLarge);
    let line = ward.line(1);
    let measured = wire_support::id_of(&line);
    ward.deliver(vec![line]).await;
    let of_a_device = send(broker, &nurse, (ward.ticket, measured), &picture(1)).await;
    assert_eq!(of_a_device.code(), Code::FieldWrong);
    assert_eq!(broker.blobs.count(), 0);
    for number in 0..PHOTOS_MAX {
        let bytes = picture(u8::try_from(number).expect("few"));
        send(broker, &nurse, to, &bytes).await.photo();
    }
    assert_eq!(send(broker, &nurse, to, &picture(99)).await.code(), Code::PhotoEnough);
    assert_eq!(broker.blobs.count(), PHOTOS_MAX);
    let mut tries = 0;
    while send(broker, &nurse, to, b"").await.code() != Code::TooMany {
        tries += 1;
        assert!(tries < 30, "nobody counts");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_hands_nothing_in() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let nurse = broker.sign_in(nurse_id(1)).await;
    let reading = typed(&ward.nurse, ward.ticket).await;
    let head = format!(
        "POST /api/photos HTTP/1.1\r\nOrigin: https://evil.example\r\nCookie: minato={nurse}\r\n\
         minato-ticket: {}\r\nminato-reading: {reading}\r\nContent-Length: 3\r\n",
        ward.ticket
    );
    assert_eq!(ask(broker, head, b"\xFF\xD8\xFF").await.code(), Code::OriginForbidden);
}

async fn swept(broker: &Broker) -> usize {
    let sweep = |edge: Arc<Edge>| async move { edge.photos.sweep(&edge.desk).await };
    broker.inside(sweep).await.expect("it can be judged")
}

#[tokio::test]
async fn a_reading_never_names_a_picture_that_is_not_kept_and_what_nothing_names_is_swept() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let nurse = broker.sign_in(nurse_id(1)).await;
    let reading = typed(&ward.nurse, ward.ticket).await;
    let to = (ward.ticket, reading);
    // No room for the file: no name either, and the value stands.
    broker.blobs.refuse(true);
    assert_eq!(send(broker, &nurse, to, &picture(1)).await.code(), Code::NotDurable);
    broker.blobs.refuse(false);
    assert!(ward.doctor.shows(|seen| seen.reading(ward.subject, reading).is_some()));
    // The file is kept, its name is not: swept, but not while it may still be named.
    ward.log.inject(Fault::Refuse);
    assert_eq!(send(broker, &nurse, to, &picture(2)).await.code(), Code::NotDurable);
    assert_eq!((broker.blobs.count(), swept(broker).await), (1, 0));
    ward.clinic.advance(Span::minutes(61));
    assert_eq!((swept(broker).await, broker.blobs.count()), (1, 0));
    // What is named stays, and is sealed.
    let photo = send(broker, &nurse, to, &picture(3)).await.photo();
    ward.clinic.advance(Span::minutes(61));
    assert_eq!((swept(broker).await, broker.blobs.count()), (0, 1));
    let id = minato_signaling::blob::BlobId(photo.0.0);
    let file = broker.blobs.read(id).await.expect("readable").expect("there");
    assert!(!file.windows(9).any(|part| part == b"a picture"));
    assert!(ward.doctor.shows(|seen| photos(&ward, seen, reading) == [photo]));
}

#[tokio::test]
async fn a_picture_that_is_kept_anew_while_it_is_judged_is_not_swept() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let nurse = broker.sign_in(nurse_id(1)).await;
    let to = (ward.ticket, typed(&ward.nurse, ward.ticket).await);
    ward.log.inject(Fault::Refuse);
    assert_eq!(send(broker, &nurse, to, &picture(1)).await.code(), Code::NotDurable);
    ward.clinic.advance(Span::minutes(61));
    broker.blobs.keep_anew(ward.now());
    assert_eq!((swept(broker).await, broker.blobs.count()), (0, 1));
    ward.clinic.advance(Span::minutes(61));
    assert_eq!((swept(broker).await, broker.blobs.count()), (1, 0));
}

#[tokio::test]
async fn of_somebody_who_was_erased_no_picture_is_served_and_none_is_kept() {
    let ward = Ward::open().await;
    let broker = &ward.clinic.broker;
    let nurse = broker.sign_in(nurse_id(1)).await;
    let to = (ward.ticket, typed(&ward.nurse, ward.ticket).await);
    let photo = send(broker, &nurse, to, &picture(1)).await.photo();
    assert_eq!(see(broker, &nurse, photo).await.status, 200);
    assert_eq!(broker.vault.erase(ward.subject), Ok(true));
    assert_eq!(see(broker, &nurse, photo).await.code(), Code::ReadingUnknown);
    for number in [1, 2] {
        let sent = send(broker, &nurse, to, &picture(number)).await;
        assert_eq!(sent.code(), Code::ReadingUnknown);
    }
    ward.clinic.advance(Span::minutes(61));
    assert_eq!((swept(broker).await, broker.blobs.count()), (1, 0));
}
