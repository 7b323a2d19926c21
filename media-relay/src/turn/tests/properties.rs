//! What holds for any bytes and any order of requests.

use super::*;
use proptest::prelude::*;

/// The most that any message may be answered with, also to the owner of an allocation.
const ANSWER_BYTES_MAX: usize = 200;

fn endure(rig: &mut Rig, bytes: &[u8], answer_bytes_max: usize) {
    let mut out = Vec::new();
    for client in [udp(1), udp(2), stream(1)] {
        if let Some(to) = rig.turn.from_client(client, bytes, rig.at, &mut out) {
            assert!(to.data.len() <= bytes.len());
            assert!([address(PEER).ip(), address(PEER_V6).ip()].contains(&to.peer.ip()));
        }
    }
    for command in &out {
        if let Command::Answer { bytes, .. } = command {
            assert!(bytes.len() <= answer_bytes_max, "{} bytes", bytes.len());
        }
    }
    let _ = frame_len(bytes);
    rig.run(out);
}

/// Bytes with the look of a message: a right header, attributes of every known type.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![0_u16..0x0c, any::<u16>()];
    let class = prop_oneof![
        4 => Just(Class::Request),
        2 => Just(Class::Indication),
        1 => Just(Class::Success),
        1 => Just(Class::Error)
    ];
    let kind = prop_oneof![0_u16..0x30, 0x8000_u16..0x8030, any::<u16>()];
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        proptest::collection::vec(any::<u8>(), 4),
        proptest::collection::vec(any::<u8>(), 8),
    ];
    let attributes = proptest::collection::vec((kind, value), 0..12);
    (method, class, any::<Transaction>(), attributes, any::<bool>()).prop_map(
        |(method, class, transaction, attributes, fingerprint)| {
            let mut ask = Ask::new(method & 0xfff);
            (ask.class, ask.transaction) = (class, transaction);
            (ask.attributes, ask.fingerprint) = (attributes, fingerprint);
            ask.plain()
        },
    )
}

/// What a page and its network may do.
#[derive(Debug, Clone)]
enum Step {
    Allocate { port: u16, user: u8, kind: u8 },
    Again { port: u16 },
    Refresh { port: u16, seconds: u32, family: Option<u8> },
    Permit { port: u16, host: u8 },
    Bind { port: u16, number: u16, host: u8 },
    Gone { port: u16 },
    SocketComes { fails: bool },
    Pass { seconds: u64 },
    TakeAside { port: u16, user: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let port = 1_u16..8;
    prop_oneof![
        4 => (port.clone(), 0_u8..3, 0_u8..5)
            .prop_map(|(port, user, kind)| Step::Allocate { port, user, kind }),
        1 => port.clone().prop_map(|port| Step::Again { port }),
        3 => (port.clone(), prop_oneof![Just(0_u32), 1_u32..5_000], proptest::option::of(0_u8..4))
            .prop_map(|(port, seconds, family)| Step::Refresh { port, seconds, family }),
        2 => (port.clone(), any::<u8>()).prop_map(|(port, host)| Step::Permit { port, host }),
        2 => (port.clone(), 0x4000_u16..0x4004, 0_u8..4)
            .prop_map(|(port, number, host)| Step::Bind { port, number, host }),
        1 => port.clone().prop_map(|port| Step::Gone { port }),
        6 => any::<bool>().prop_map(|fails| Step::SocketComes { fails }),
        2 => (0_u64..400).prop_map(|seconds| Step::Pass { seconds }),
        2 => (port, 0_u8..3).prop_map(|(port, user)| Step::TakeAside { port, user }),
    ]
}

/// The pages of one server: each step is a request that a page could really send.
struct World {
    rig: Rig,
    last: BTreeMap<u16, Vec<u8>>,
    owners: BTreeMap<u16, u8>,
}

impl World {
    fn new() -> Self {
        let mut config = config();
        (config.allocations_max, config.per_user_max) = (7, 3);
        (config.permissions_max, config.channels_max) = (3, 2);
        let mut rig = Rig::new(config);
        rig.slow = true;
        Self { rig, last: BTreeMap::new(), owners: BTreeMap::new() }
    }

    fn ask(&mut self, port: u16, user: u8, ask: &Ask) {
        // Streams and datagrams by turns.
        let client = client(port);
        let login = self.rig.login(client, &format!("user{user}"), 1_000);
        // An owner keeps the name that it allocated with: made of its user alone here.
        let (name, password) = credential(&secret(), &format!("user{user}"), UNIX_S + 1_000_000);
        let bytes = ask.signed(&Login { name, password, ..login });
        self.rig.give(client, &bytes);
        self.last.insert(port, bytes);
    }

    fn owner(&self, port: u16) -> u8 {
        self.owners.get(&port).copied().unwrap_or(0)
    }

    fn go(&mut self, step: &Step) {
        match *step {
            Step::Allocate { port, user, kind } => {
                let ask = match kind {
                    0 => Ask::allocate().even(true),
                    1 => Ask::allocate().both_families(),
                    2 => Ask::allocate().family(2).even(false),
                    _ => Ask::allocate(),
                };
                if self.rig.turn.table.id_of(&client(port)).is_none() {
                    self.owners.insert(port, user);
                }
                self.ask(port, user, &ask);
            }
            Step::Again { port } => {
                if let Some(bytes) = self.last.get(&port).cloned() {
                    self.rig.give(client(port), &bytes);
                }
            }
            Step::Refresh { port, seconds, family } => {
                let ask = Ask::refresh(seconds);
                let ask = family.map_or(ask.clone(), |family| ask.family(family));
                self.ask(port, self.owner(port), &ask);
            }
            Step::Permit { port, host } => {
                let peer = format!("203.0.113.{host}:1");
                self.ask(port, self.owner(port), &Ask::permission(&[&peer]));
            }
            Step::Bind { port, number, host } => {
                let peer = format!("203.0.113.{host}:1");
                self.ask(port, self.owner(port), &Ask::bind(number, &peer));
            }
            Step::Gone { port } => {
                let mut out = Vec::new();
                self.rig.turn.gone(client(port), &mut out);
                self.rig.run(out);
            }
            Step::SocketComes { fails } => {
                if let Some((id, family, wish)) = self.rig.waiting.pop() {
                    self.rig.broken = if fails { vec![family] } else { Vec::new() };
                    self.rig.open_now(id, family, wish);
                }
            }
            Step::Pass { seconds } => self.rig.pass(seconds),
            Step::TakeAside { port, user } => {
                let answer = self.rig.answers.iter().rev().find_map(|(_, bytes)| {
                    let answer = Answer::read(bytes.clone(), None);
                    answer.value(attribute::RESERVATION_TOKEN).map(<[u8]>::to_vec)
                });
                if let Some(token) = answer {
                    let ask = Ask::allocate().with(attribute::RESERVATION_TOKEN, &token);
                    self.ask(port, user, &ask);
                }
            }
        }
    }
}

fn client(port: u16) -> Client {
    if port.is_multiple_of(2) { udp(port) } else { stream(port.into()) }
}

proptest! {
    // More of them with PROPTEST_CASES.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_endured(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20)
    ) {
        let (mut rig, _) = lived_in();
        for bytes in messages {
            endure(&mut rig, &bytes, 100);
        }
    }

    #[test]
    fn likely_messages_are_endured_and_answered_with_few_bytes(
        messages in proptest::collection::vec(likely(), 1..20)
    ) {
        let (mut rig, _) = lived_in();
        for bytes in messages {
            endure(&mut rig, &bytes, 100);
        }
    }

    #[test]
    fn the_owners_own_nonsense_is_endured(bytes in likely(), cut in any::<proptest::sample::Index>()) {
        let (mut rig, login) = lived_in();
        let message = Message::parse(&bytes).expect("a message");
        let mut ask = Ask::new(message.method);
        (ask.transaction, ask.class) = (message.transaction, message.class);
        // Its attributes, then a right signature over them.
        let mut writer = bytes[..bytes.len() - if message.fingerprint.is_some() { 8 } else { 0 }].to_vec();
        writer.drain(..20);
        let mut at = 0;
        while at + 4 <= writer.len() {
            let length = usize::from(u16::from_be_bytes([writer[at + 2], writer[at + 3]]));
            let kind = u16::from_be_bytes([writer[at], writer[at + 1]]);
            if let Some(value) = writer.get(at + 4..at + 4 + length) {
                ask = ask.with(kind, value);
            }
            at += 4 + length.next_multiple_of(4);
        }
        let signed = ask.signed(&login);
        endure(&mut rig, &signed, ANSWER_BYTES_MAX);
        endure(&mut rig, &signed[..cut.index(signed.len())], 100);
    }

    #[test]
    fn any_order_of_requests_keeps_the_laws(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            // The laws are checked after everything that the server commands.
            world.go(step);
        }
        world.rig.broken.clear();
        while let Some((id, family, wish)) = world.rig.waiting.pop() {
            world.rig.open_now(id, family, wish);
        }
        let addresses = world.rig.open.len();
        let counts = world.rig.turn.counts();
        prop_assert_eq!(counts.pending, 0);
        prop_assert_eq!(counts.reservations, world.rig.aside.len());
        prop_assert!(addresses >= counts.allocations && addresses <= 2 * counts.allocations);
        world.rig.pass(4_000);
        prop_assert_eq!(world.rig.turn.counts().allocations, 0);
        prop_assert_eq!((world.rig.open.len(), world.rig.aside.len()), (0, 0));
        prop_assert_eq!(world.rig.turn.next_deadline(), None);
    }
}
