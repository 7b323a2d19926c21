use super::*;
use crate::codec::Value;
use crate::driver::{Piece, family_of};
use minato_protocol::reading::{Characteristic, Decimal, Quality, Special};

const PACKET_MS: i64 = 1_000 / 60;

fn offer(name: &str) -> Offer {
    Offer { name: name.to_owned(), attributes: Vec::new() }
}

fn driver(name: &str) -> Box<dyn Driver> {
    (family_of(&offer(name)).expect("a family").make)()
}

/// A Contec's packet.
fn packet(spo2: u8) -> [u8; 5] {
    [0xc4, 0x40, 0x03, 0x48, spo2]
}

const NO_FINGER: [u8; 5] = [0x90, 0x00, 0x10, 0x48, 0x61];

/// What comes of packets that come one by one from `at` on.
fn hear(driver: &mut dyn Driver, packets: &[[u8; 5]], at: i64) -> Vec<Said> {
    let mut said = Vec::new();
    for (place, packet) in (0..).zip(packets) {
        let at = Timestamp(at + place * PACKET_MS);
        driver.on_bytes(Attribute::SERIAL, packet, at, &mut said);
    }
    said
}

fn message(said: &Said) -> Option<&Message> {
    match said {
        Said::Frame(message) => Some(message),
        Said::Wave(_) | Said::Battery(_) | Said::Clock(_) => None,
    }
}

fn messages(said: &[Said]) -> Vec<&Message> {
    said.iter().filter_map(message).collect()
}

fn piece(said: &Said) -> Option<&Piece> {
    match said {
        Said::Wave(piece) => Some(piece),
        Said::Frame(_) | Said::Battery(_) | Said::Clock(_) => None,
    }
}

fn pieces(said: &[Said]) -> Vec<&Piece> {
    said.iter().filter_map(piece).collect()
}

#[test]
fn a_cable_is_read_by_the_name_that_it_was_given() {
    for (name, driver_name) in
        [("contec", "contec-serial"), ("emay", "emay-serial"), ("nonin", "nonin-serial")]
    {
        assert_eq!(driver(name).meta().name, driver_name);
        assert!(matches!(family_of(&offer(name)).map(|f| f.way), Some(Way::Serial(_))));
    }
    assert!(family_of(&offer("Contec")).is_none());
    let radio = Offer { attributes: vec![Attribute::assigned(0x2A5F)], ..offer("contec") };
    assert_eq!((family_of(&radio).expect("a family").make)().meta().name, "generic-oximeter");
}

#[test]
fn values_are_told_once_a_second_and_the_wave_in_fifths() {
    let said = hear(&mut *driver("contec"), &[packet(97); 600], 5_000);
    let told = messages(&said);
    assert!((10..=11).contains(&told.len()), "{}", told.len());
    let first = told[0];
    assert_eq!((first.characteristic, first.live), (Characteristic::SerialBci, true));
    assert_eq!(first.raw, packet(97));
    let frame = first.frame.as_ref().expect("read");
    assert_eq!(frame.values[0].value, Value::Number(Decimal::whole(97)));
    let pieces = pieces(&said);
    assert_eq!(pieces.len(), (600 - 12) / 12);
    for (place, piece) in (0..).zip(&pieces) {
        assert_eq!((piece.first_sample, piece.samples.len()), (place * 12, 12));
        assert_eq!((piece.rate_num, piece.rate_den), (60, 1));
    }
    assert_eq!(pieces[0].samples[0], 0x81, "64 of 127 is 129 of 255");
}

#[test]
fn a_finger_that_is_out_is_told_without_numbers_and_leaves_a_gap_in_the_wave() {
    let mut contec = driver("contec");
    let worn = hear(&mut *contec, &[packet(97); 60], 0);
    let off = hear(&mut *contec, &[NO_FINGER; 120], 1_000);
    let told = messages(&off);
    let last = told.last().expect("told").frame.as_ref().expect("read");
    assert_eq!(last.quality, [Quality::SensorOff]);
    assert!(last.values.iter().all(|value| value.value == Value::Special(Special::NaN)));
    let back = hear(&mut *contec, &[packet(96); 60], 3_000);
    let before =
        pieces(&worn).len() * 12 + pieces(&off).iter().map(|p| p.samples.len()).sum::<usize>();
    assert_eq!(before, 60 - 11, "what was worn is told, and nothing of the time without a finger");
    let again = pieces(&back)[0].first_sample;
    // The first of them was at 176 ms, and the time goes on to 3 s.
    assert!((165..=171).contains(&again), "{again}");
}

#[test]
fn lost_bytes_and_a_silent_line_show_as_gaps_as_long_as_they_were() {
    let mut contec = driver("contec");
    let mut said = hear(&mut *contec, &[packet(97); 60], 0);
    said.extend(hear(&mut *contec, &[packet(97); 60], 31_000));
    let pieces_told = pieces(&said);
    let jump = pieces_told
        .windows(2)
        .map(|pair| pair[1].first_sample - pair[0].first_sample - pair[0].samples.len() as u64);
    let gap = jump.max().expect("pieces");
    assert!((1_795..=1_815).contains(&gap), "thirty seconds are {gap}");

    let mut contec = driver("contec");
    let mut said = hear(&mut *contec, &[packet(97); 48], 0);
    contec.on_bytes(Attribute::SERIAL, &[0x11; 3], Timestamp(790), &mut said);
    said.extend(hear(&mut *contec, &[packet(97); 30], 800));
    let counted: Vec<_> = pieces(&said).iter().map(|p| (p.first_sample, p.samples.len())).collect();
    // Until it is believed again a fifth of a second passes.
    assert_eq!(counted[..4], [(0, 12), (12, 12), (24, 12), (48, 12)], "{counted:?}");
}

#[test]
fn a_packet_whose_bytes_have_slipped_is_not_believed() {
    let mut contec = driver("contec");
    let mut said = hear(&mut *contec, &[packet(97); 60], 0);
    // A byte of noise among them: pulse and saturation of this one would be 3 and 72.
    let slipped = [0xc4, 0x40, 0x11, 0x03, 0x48, 0x61];
    contec.on_bytes(Attribute::SERIAL, &slipped, Timestamp(1_170), &mut said);
    said.extend(hear(&mut *contec, &[packet(97); 60], 1_180));
    for message in messages(&said) {
        assert_eq!(message.raw, packet(97));
    }
    assert!(messages(&said).len() >= 2);
}

#[test]
fn an_hour_of_noise_says_nothing_and_is_not_kept() {
    let mut contec = driver("contec");
    let mut said = Vec::new();
    let mut dice = 1u32;
    for second in 0..3_600 {
        let noise = [0; 1_900].map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        });
        contec.on_bytes(Attribute::SERIAL, &noise, Timestamp(second * 1_000), &mut said);
    }
    assert_eq!(said, []);
    let size = format!("{contec:?}").len();
    assert!(size < 1_000, "{size}");
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_a_device() {
    let mut contec = driver("contec");
    hear(&mut *contec, &[packet(97); 60], 10_000_000);
    let said = hear(&mut *contec, &[packet(96); 60], 1_000);
    assert!(!messages(&said).is_empty());
}
