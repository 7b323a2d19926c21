//! Who is let in, and what a nobody gets to see.

use super::*;

/// The most that anybody is sent who has not proved a credential.
const NOBODY_BYTES_MAX: usize = 100;

#[test]
fn a_request_without_a_credential_is_told_how_to_get_in_with_few_bytes() {
    let mut rig = Rig::usual();
    for method in
        [method::ALLOCATE, method::REFRESH, method::CREATE_PERMISSION, method::CHANNEL_BIND]
    {
        let answer = rig.plain(udp(1), &Ask::new(method));
        assert_eq!((answer.code, answer.signed), (Some(401), false));
        assert_eq!(answer.text(attribute::REALM), REALM);
        assert_eq!(answer.bytes.len(), 76, "of at most {NOBODY_BYTES_MAX}");
    }
    assert_eq!(rig.turn.counts().allocations + rig.turn.counts().pending, 0);
}

#[test]
fn the_longest_realm_keeps_the_challenge_small() {
    let mut config = config();
    config.realm = "r".repeat(config::REALM_BYTES_MAX);
    let mut rig = Rig::new(config);
    let answer = rig.plain(udp(1), &Ask::allocate());
    assert!(answer.bytes.len() <= NOBODY_BYTES_MAX, "{}", answer.bytes.len());
}

#[test]
fn an_answer_has_a_fingerprint_only_if_the_request_had_one() {
    let mut rig = Rig::usual();
    let mut ask = Ask::allocate();
    ask.fingerprint = false;
    assert_eq!(rig.plain(udp(1), &ask).value(attribute::FINGERPRINT), None);
    assert!(rig.plain(udp(1), &Ask::allocate()).value(attribute::FINGERPRINT).is_some());
}

#[test]
fn a_message_with_a_wrong_fingerprint_is_not_answered() {
    let mut rig = Rig::usual();
    let mut bytes = Ask::allocate().plain();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(rig.give(udp(1), &bytes), None);
}

#[test]
fn anybody_is_told_where_they_come_from() {
    let mut rig = Rig::usual();
    for (from, told) in [
        ("192.0.2.77:4000", "192.0.2.77:4000"),
        ("[2001:db8::77]:4000", "[2001:db8::77]:4000"),
        ("[::ffff:192.0.2.77]:4000", "192.0.2.77:4000"),
    ] {
        let client = Client::Udp { listener: 3, address: address(from) };
        let answer = rig.plain(client, &Ask::new(method::BINDING));
        assert_eq!(answer.addresses(attribute::XOR_MAPPED_ADDRESS), [address(told)]);
        assert!(!answer.signed && answer.bytes.len() <= NOBODY_BYTES_MAX);
    }
}

#[test]
fn a_binding_request_with_what_must_be_understood_is_told_what_that_is() {
    let mut rig = Rig::usual();
    let ask = (0..40).fold(Ask::new(method::BINDING), |ask, n| ask.with(0x7000 + n, &[]));
    let answer = rig.plain(udp(1), &ask);
    assert_eq!(answer.code, Some(420));
    let listed = answer.value(attribute::UNKNOWN_ATTRIBUTES).unwrap();
    assert_eq!(listed[..4], [0x70, 0x00, 0x70, 0x01]);
    assert!(answer.bytes.len() <= NOBODY_BYTES_MAX);
}

#[test]
fn what_may_be_ignored_is_ignored() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let ask = Ask::allocate().with(0x8022, b"a browser").with(0xC057, &[0, 0, 0, 1]);
    // Mobility of another server's making, and algorithms that we did not offer.
    let ask = ask.with(0x8030, &[]).with(0x8002, &[0, 1, 0, 0]).with(0x001D, &[0, 1, 0, 0]);
    assert_eq!(rig.code(udp(1), &login, &ask), 0);
}

#[test]
fn a_signature_without_name_realm_or_nonce_is_a_bad_request() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let parts = [
        (attribute::USERNAME, login.name.as_bytes()),
        (attribute::REALM, login.realm.as_bytes()),
        (attribute::NONCE, login.nonce.as_bytes()),
    ];
    for (missing, _) in parts {
        let ask = parts.iter().fold(Ask::allocate(), |ask, (kind, value)| ask.with(*kind, value));
        let writer = ask.without(missing).writer();
        let bytes = writer.finish(Some(&login.key(Kind::Sha1)), true);
        let answer = Answer::read(rig.give(udp(1), &bytes).unwrap(), None);
        assert_eq!((answer.code, answer.signed), (Some(400), false));
    }
}

#[test]
fn a_name_told_by_its_hash_is_not_known() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let ask = Ask::allocate()
        .with(attribute::USERHASH, &[1; 32])
        .with(attribute::REALM, login.realm.as_bytes())
        .with(attribute::NONCE, login.nonce.as_bytes());
    let bytes = ask.writer().finish(Some(&login.key(Kind::Sha1)), true);
    assert_eq!(Answer::read(rig.give(udp(1), &bytes).unwrap(), None).code, Some(401));
}

#[test]
fn a_wrong_password_name_or_realm_does_not_get_in() {
    let mut rig = Rig::usual();
    let good = rig.login(udp(1), "sato", 600);
    let wrong = [
        Login { password: "guess".into(), ..good.clone() },
        Login { name: format!("{}:ito", UNIX_S + 600), ..good.clone() },
        Login { name: format!("{}:sato", UNIX_S + 601), ..good.clone() },
        Login { name: "sato".into(), ..good.clone() },
        Login { name: String::new(), ..good.clone() },
        Login { realm: "elsewhere".into(), ..good.clone() },
    ];
    for login in wrong {
        let answer = rig.signed(udp(1), &login, &Ask::allocate());
        assert_eq!((answer.code, answer.signed), (Some(401), false), "{}", login.name);
        assert!(answer.value(attribute::NONCE).is_some());
        assert!(answer.bytes.len() <= NOBODY_BYTES_MAX);
    }
    assert_eq!(rig.code(udp(1), &good, &Ask::allocate()), 0);
}

#[test]
fn a_name_that_is_no_text_does_not_get_in() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let ask = Ask::allocate()
        .with(attribute::USERNAME, &[0xff, 0xfe])
        .with(attribute::REALM, login.realm.as_bytes())
        .with(attribute::NONCE, login.nonce.as_bytes());
    let bytes = ask.writer().finish(Some(&login.key(Kind::Sha1)), true);
    assert_eq!(Answer::read(rig.give(udp(1), &bytes).unwrap(), None).code, Some(401));
}

#[test]
fn an_expired_credential_opens_prolongs_and_permits_nothing() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 100);
    assert_eq!(rig.code(udp(1), &login, &Ask::allocate()), 0);
    rig.pass(99);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 0);
    rig.pass(1);
    for ask in [Ask::refresh(600), Ask::permission(&[PEER]), Ask::bind(0x4000, PEER)] {
        assert_eq!(rig.code(udp(1), &login, &ask), 401);
    }
    assert_eq!(rig.code(udp(2), &login, &Ask::allocate()), 401, "and nothing new");
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(0)), 0, "but may be given back");
    assert_eq!(rig.open.len(), 0);
}

#[test]
fn a_lifetime_ends_at_most_ten_minutes_after_its_credential() {
    let mut rig = Rig::usual();
    for (ttl_s, wish_s, granted_s) in
        [(7_200, 3_600, 3_600), (1_000, 3_600, 1_000), (60, 3_600, 600), (7_200, 9_999_999, 3_600)]
    {
        let client = udp(u16::try_from(ttl_s % 60_000 + u64::from(wish_s) % 1_000).unwrap());
        let login = rig.login(client, "sato", ttl_s);
        let answer = rig.signed(client, &login, &Ask::allocate().lifetime(wish_s));
        assert_eq!(answer.lifetime_s(), granted_s);
        assert_eq!(rig.code(client, &login, &Ask::refresh(0)), 0);
    }
}

#[test]
fn a_nonce_whose_life_is_over_is_replaced() {
    let mut config = config();
    config.nonce_life_s = 300;
    let mut rig = Rig::new(config);
    let (mut login, _) = rig.page(udp(1), Ask::allocate());
    rig.pass(300);
    let stale = rig.signed(udp(1), &login, &Ask::refresh(600));
    assert_eq!((stale.code, stale.signed), (Some(438), false));
    assert!(stale.bytes.len() <= NOBODY_BYTES_MAX);
    login.nonce = stale.text(attribute::NONCE);
    assert_eq!(rig.code(udp(1), &login, &Ask::refresh(600)), 0);
}

#[test]
fn a_nonce_of_another_address_is_stale() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let elsewhere = Client::Udp { listener: 0, address: address("192.0.2.78:1") };
    assert_eq!(rig.code(elsewhere, &login, &Ask::allocate()), 438);
}

#[test]
fn a_request_heard_and_sent_again_from_elsewhere_does_nothing() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let heard = Ask::allocate().signed(&login);
    assert!(rig.give(udp(1), &heard).is_some());
    let thief = Client::Udp { listener: 0, address: address("198.51.100.66:1") };
    let answer = Answer::read(rig.give(thief, &heard).unwrap(), None);
    assert_eq!(answer.code, Some(438));
    rig.pass(600);
    let late = Answer::read(rig.give(udp(1), &heard).unwrap(), None);
    assert_eq!(late.code, Some(401), "its credential has expired");
    assert_eq!(rig.turn.counts().allocations, 0);
}

#[test]
fn sha256_is_answered_with_sha256() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let answer = rig.signed(udp(1), &login, &Ask::allocate().sha256());
    assert!(answer.value(attribute::MESSAGE_INTEGRITY_SHA256).is_some());
    assert_eq!(answer.value(attribute::MESSAGE_INTEGRITY), None);
    let wrong = Login { password: "guess".into(), ..login };
    assert_eq!(rig.code(udp(2), &wrong, &Ask::allocate().sha256()), 401);
}

#[test]
fn what_is_no_request_is_not_answered() {
    let mut rig = Rig::usual();
    for class in [Class::Indication, Class::Success, Class::Error] {
        for method in [method::BINDING, method::ALLOCATE, method::DATA, 0x00A] {
            let mut ask = Ask::new(method);
            ask.class = class;
            assert_eq!(rig.give(udp(1), &ask.plain()), None);
        }
    }
    assert_eq!(rig.plain(udp(1), &Ask::new(0x00A)).code, Some(400), "TCP allocations");
}
